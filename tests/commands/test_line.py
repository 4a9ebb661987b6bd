import pytest

from fastrouter.commands.line import Raw, pretty
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.errors import MessageError

TIME = 1_735_689_600_123_456_789  # 2025-01-01T00:00:00.123456789Z


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Quote("S:AAPL", bid=150.25, ask=150.27, last=150.26, bid_size=100, ask_size=200,
                  time=TIME),
            "00:00:00.123  quote       S:AAPL          "
            "bid 150.25     ask 150.27     last 150.26     100 x 200",
        ),
        (
            Quote("S:AAPL", bid=1, ask=2, time=TIME, snapshot=True),
            "00:00:00.123  quote       S:AAPL          "
            "bid 1          ask 2          last 1.5        0 x 0  (snapshot)",
        ),
        (
            Candle("C:BTCUSD", timeframe="5m", open=1, high=4, low=0.5, close=2, volume=7.5,
                   time=TIME, closed=False),
            "00:00:00.123  candle      C:BTCUSD        5m forming o 1 h 4 l 0.5 c 2 v 7.5",
        ),
        (
            Event("connection", {"event": "CONNECTED", "timestamp": "x"}, time=TIME),
            "00:00:00.123  connection                  event=CONNECTED",
        ),
        (Event("odd", 7, time=TIME), "00:00:00.123  odd                         7"),
    ],
)  # fmt: skip
def test_a_line_per_event(event: Quote | Candle | Event, line: str):
    assert pretty(event, colour=False) == line


def test_colour_changes_nothing_but_colour():
    event = Quote("S:AAPL", bid=1, ask=2, time=TIME)
    coloured = pretty(event, colour=True)
    assert coloured.count("\x1b[0m") == 3
    for escape in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[36m"):
        coloured = coloured.replace(escape, "")
    assert coloured == pretty(event, colour=False)


def test_raw_keeps_the_message():
    message = b'{"type": "quote",  "odd": "\xc3\xa9"}'
    assert Raw.line(Raw("trading-api")(message)) == message.decode()


def test_raw_decodes_what_the_client_answers():
    event = Raw("trading-api")(b'{"type":"ping","timestamp":"2025-01-01T00:00:00Z"}')
    assert isinstance(event, Event)
    assert event.kind == "ping"


def test_raw_keeps_what_the_client_must_understand():
    message = b'{"type":"error",  "code":"RESUME_GAP"}'
    event = Raw("trading-api")(message)
    assert (event.kind, event.payload["code"]) == ("error", "RESUME_GAP")
    assert Raw.line(event) == message.decode()


@pytest.mark.parametrize(
    ("name", "number"), [('"evt_12"', 12), ('"unknown"', 0), ("null", 0), ("7", 0)]
)
def test_raw_knows_the_id_to_resume_after(name: str, number: int):
    assert Raw("trading-api")(f'{{"type":"quote","id":{name}}}'.encode()).id == number


@pytest.mark.parametrize("message", [b"{", b"[]", b"7", b"{}", b'{"type":[]}'])
def test_raw_refuses_what_is_no_message(message: bytes):
    with pytest.raises(MessageError):
        Raw("trading-api")(message)
