"""Events to bytes and back in the Trading API's envelope, against golden files."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load, names
from fastrouter.errors import ConfigError, MessageError

GOLDEN = Path(__file__).parent.parent / "golden" / "trading-api"
START = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000

QUOTE = Quote("S:AAPL", bid=150.25, ask=150.27, last=150.26, bid_size=100, ask_size=200, time=START)
BTC = dict(open=46319.5, high=46385.0, low=46319.0, close=46377.0, volume=2300413.7295)
CLOSED = Candle("C:BTCUSD", timeframe="1m", **BTC, time=START, closed=True)
FORMING = Candle("C:BTCUSD", timeframe="5m", **BTC, time=START, closed=False)
#: golden file -> (event, decimals)
CASES = {
    "quote.json": (QUOTE, "string"),
    "quote.number.json": (QUOTE, "number"),
    "candle.closed.json": (CLOSED, "string"),
    "candle.forming.json": (FORMING, "string"),
    "candle.number.json": (CLOSED, "number"),
}


def encoded(event, decimals="string", *, snapshot=False) -> bytes:
    """What one session receives of the seventh event, the third of its topic."""
    router = Router(clock=Clock(START))
    sink = MemorySink()
    outbox = router.attach(sink, load("trading-api", decimals=decimals))
    patterns = [("*", "quote"), ("*", "order"), ("*", "candle@1m"), ("*", "candle@5m")]
    if not snapshot:
        outbox.subscribe(patterns)
    for _ in range(4):
        router.publish(Event("account", {}))
    for second in range(3):
        router.clock.set(START + second * 1_000_000_000)
        router.publish(event)
        router.flush()
    if snapshot:
        outbox.subscribe(patterns)
        router.flush()
    return sink.messages()[-1]


@pytest.mark.parametrize("name", CASES)
def test_bytes_are_those_of_the_golden_file(name):
    assert encoded(*CASES[name]) == (GOLDEN / name).read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", CASES)
def test_back_to_the_event(name):
    event, decimals = CASES[name]
    back = load("trading-api", decimals=decimals).decode((GOLDEN / name).read_bytes())
    assert type(back) is type(event)
    assert back.id == 7
    for field in (
        *("symbol", "bid", "ask", "last", "bid_size", "ask_size", "timeframe"),
        *("open", "high", "low", "close", "volume", "closed", "time"),
    ):
        assert getattr(back, field, None) == getattr(event, field, None), field


def test_snapshot_is_marked_and_read():
    message = encoded(QUOTE, snapshot=True)
    assert message.endswith(b',"snapshot":true}')
    assert load("trading-api").decode(message).snapshot is True


def test_random_values_come_back_exactly():
    rng = random.Random(5)
    router = Router(clock=Clock(START))
    sink = MemorySink()
    dialect = load("trading-api")
    router.attach(sink, dialect).subscribe([("*", "quote"), ("*", "candle@1m")])
    sent = []
    for n in range(3000):
        values = [_finite(rng) for _ in range(5)]
        symbol = rng.choice(['S:"quoted"', "S:back\\slash", "S:Ünï", "C:BTC", f"S:{n}"])
        if n % 2:
            bid, ask, last, bid_size, ask_size = values
            sent.append(Quote(symbol, bid=bid, ask=ask, last=last, bid_size=bid_size,
                              ask_size=ask_size, time=START + n * 1000))  # fmt: skip
        else:
            o, h, low, c, v = values
            sent.append(Candle(symbol, open=o, high=h, low=low, close=c, volume=v, time=n * MINUTE))
        router.publish(sent[-1])
        router.flush()
    for event, message in zip(sent, sink.messages(), strict=True):
        json.loads(message)
        back = dialect.decode(message)
        assert back._key()[:-3] == event._key()[:-3]


def _finite(rng: random.Random) -> float:
    kind = rng.random()
    if kind < 0.5:
        return round(rng.uniform(0.01, 70000), rng.randint(0, 5))
    if kind < 0.6:
        return rng.choice([0.0, -0.0, 5e-324, 1.7976931348623157e308, 1e-7, 1e21, -1.5])
    value = struct.unpack("<d", rng.randbytes(8))[0]
    return value if value - value == 0 else 1.0


def test_control_messages():
    dialect = load("trading-api")
    ping = dialect.control("ping", {}, START)
    assert ping == b'{"type":"ping","timestamp":"2025-01-01T00:00:00.000000Z"}'
    event = dialect.decode(dialect.control("error", {"code": "X", "message": "y"}, START))
    assert (event.kind, event.payload["code"], event.time) == ("error", "X", START)


def test_strategy_job_and_risk_are_not_sent():
    for kind in ("strategy", "job", "risk"):
        assert load("trading-api").encode(Event(kind, {})) is None


@pytest.mark.parametrize("data", [b"", b"nope", b"[]", b"5", b"null", b"{}", b'{"type":"quote"}',
    b'{"type":"quote","quote":{"symbol":"S:A","bid":"x"}}', b'{"type":"quote","quote":5}',
    b'{"type":"connection","timestamp":"yesterday"}', b'{"type":"candle","bar":[]}'])  # fmt: skip
def test_malformed_is_a_message_error(data):
    with pytest.raises(MessageError):
        load("trading-api").decode(data)


def test_options_are_checked():
    with pytest.raises(ConfigError, match="allowed: string, number"):
        load("trading-api", decimals="roman")
    with pytest.raises(ConfigError, match="allowed: trading-api"):
        load("nonsense")
    assert "trading-api" in names()
