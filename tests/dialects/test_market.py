"""Quotes and candles in the envelopes whose C encoders write numbers: golden, and at random."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Candle, Quote
from fastrouter.core.leaves import format_double, iso8601_short
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.dialects import load

from .cases import CORE, GOLDEN

MS = 1_000_000  # ns
HOUR = 3600 * 1000  # ms
START = 1_735_689_600_000_000_000  # a whole second
OPENED = 1697234400000  # of CORE's candle

WRAPPED = {"orchestrator": "data", "dgbit": "payload"}
CHARTS = ("1m", "5m", "15m", "1h", "4h", "1d")
EVERY = [("*", "quote"), *(("*", f"candle@{name}") for name in TIMEFRAMES)]

AAPL: dict[str, Any] = {"bid": 150.25, "ask": 150.27, "last": 150.26, "bid_size": 100.5}
BTC: dict[str, Any] = {"open": 46319.5, "high": 46385.0, "low": 46319.0, "close": 46377.0}
CHART: dict[str, Any] = {"open": 67400.0, "high": 67550.0, "low": 67350.0, "close": 67500.50}


class Wire:
    """One session of that dialect, subscribed to all market data."""

    def __init__(self, *names: str, statistics: bool = False) -> None:
        self.router = Router(clock=Clock(START), statistics=statistics)
        self.sinks = {name: MemorySink() for name in names}
        self.outboxes = [self.router.attach(self.sinks[name], load(name)) for name in names]
        for outbox in self.outboxes:
            outbox.subscribe(EVERY)

    def publish(self, *events: Quote | Candle) -> list[bytes]:
        """What the first one received."""
        for event in events:
            self.router.publish(event)
            while self.router.flush():
                pass
        return next(iter(self.sinks.values())).messages()


def quote(time: int, **fields: Any) -> Quote:
    return Quote("S:AAPL", **{**AAPL, **fields}, time=time)


def core_quote(price: float, time: int) -> Quote:
    """By CORE: bid and ask are a quarter off the price."""
    return Quote("BTCUSDT", bid=price - 0.25, ask=price + 0.25, last=price, time=time * MS)


def chart(count: int) -> list[Candle]:
    """CORE's candle, and those before it."""
    before = [
        Candle("BTCUSDT", timeframe="1h", open=1, high=1, low=1,
               close=67000 + number % 7 * 100.0, time=(OPENED - number * HOUR) * MS)
        for number in range(count - 1, 0, -1)
    ]  # fmt: skip
    last = Candle("BTCUSDT", timeframe="1h", **CHART, volume=1250.5, time=OPENED * MS)
    return [*before, last]


def bar(**fields: Any) -> Candle:
    return Candle("C:BTCUSD", **BTC, volume=2300413.7295, time=START, **fields)


def snapshot(name: str) -> bytes:
    wire = Wire()
    wire.router.publish(quote(START))
    sink = MemorySink()
    wire.router.attach(sink, load(name)).subscribe(EVERY)
    while wire.router.flush():
        pass
    return sink.messages()[-1]


#: golden file -> what makes it
MADE = {
    **{
        (name, f"{file}.json"): make
        for name in WRAPPED
        for file, make in {
            "quote": lambda name: Wire(name).publish(quote(START), quote(START + 1000 * MS))[-1],
            "quote.fraction": lambda name: Wire(name).publish(quote(START + 1500))[-1],
            "quote.snapshot": snapshot,
            "candle.closed": lambda name: Wire(name).publish(bar())[-1],
            "candle.forming": lambda name: Wire(name).publish(bar(closed=False))[-1],
        }.items()
    },
    ("botcore", "MarketData.json"): lambda name: Wire(name, statistics=True).publish(
        core_quote(66500.0, CORE - 20 * HOUR),
        core_quote(68000.0, CORE - 10 * HOUR),
        core_quote(67500.5, CORE),
    )[-1],
    ("botcore", "MarketData.alone.json"): lambda name: Wire(name).publish(
        core_quote(67500.5, CORE)
    )[-1],
    ("botcore", "ChartUpdate.json"): lambda name: Wire(name, statistics=True).publish(*chart(40))[
        -1
    ],
    ("botcore", "ChartUpdate.young.json"): lambda name: Wire(name, statistics=True).publish(
        *chart(20)
    )[-1],
}


@pytest.mark.parametrize(("name", "file"), MADE)
def test_bytes_are_those_of_the_golden_file(name, file):
    assert MADE[name, file](name) == (GOLDEN / name / file).read_bytes().rstrip(b"\n")


@pytest.mark.parametrize(("name", "file"), [pair for pair in MADE if "botcore" not in pair])
def test_back_to_the_event(name, file):
    back = load(name).decode((GOLDEN / name / file).read_bytes())
    if "candle" in file:
        assert back._key()[:-3] == bar(closed="closed" in file)._key()[:-3]
    else:
        assert (back.symbol, back.bid, back.bid_size) == ("S:AAPL", 150.25, 100.5)
        assert back.time == START + {"quote.json": 1000 * MS, "quote.fraction.json": 1000}.get(
            file, 0
        )
    assert back.snapshot is ("snapshot" in file)
    assert back.id == back.seq == (2 if file == "quote.json" else 1)


def test_back_to_cores_quote_and_candle():
    dialect = load("botcore")
    back = dialect.decode((GOLDEN / "botcore" / "MarketData.json").read_bytes())
    assert back == core_quote(67500.5, CORE)
    back = dialect.decode((GOLDEN / "botcore" / "ChartUpdate.json").read_bytes())
    assert back == chart(1)[0]


def documented(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """CORE's example, and ours."""
    files = (GOLDEN / "botcore" / f"{name}{end}.json" for end in (".seed", ""))
    seed, ours = (json.loads(file.read_text()) for file in files)
    assert list(seed) == list(ours)
    assert list(seed["data"]) == list(ours["data"])
    return seed, ours


def test_market_data_is_cores_example():
    """But for the change, which is not that of its other figures, and the volume."""
    seed, ours = documented("MarketData")
    for message in (seed, ours):
        for field in ("change_24h", "volume_24h"):
            assert message["data"].pop(field) > 0
    assert seed == ours


def test_chart_update_is_cores_example():
    """But for the time, which is before its candle closes, and what the indicators are."""
    seed, ours = documented("ChartUpdate")
    assert list(seed["data"]["candle"].items()) == list(ours["data"]["candle"].items())
    indicators = [message["data"].pop("indicators") for message in (seed, ours)]
    assert list(indicators[0]) == list(indicators[1])
    assert all(isinstance(value, float) for value in indicators[1].values())
    assert seed["data"] == ours["data"]
    assert ours["timestamp"] == ours["data"]["candle"]["close_time"]


def test_only_closed_candles_of_six_timeframes_are_charts():
    candles = [bar(timeframe=name, closed=closed) for name in TIMEFRAMES for closed in (0, 1)]
    messages = [json.loads(message) for message in Wire("botcore").publish(*candles)]
    assert [message["data"]["timeframe"] for message in messages] == list(CHARTS)


def test_a_replayed_candle_has_the_indicators_of_its_own_time():
    """They are of the closes up to that candle, however many came after it."""
    wire = Wire("botcore", statistics=True)
    live = wire.publish(*chart(60))
    topic_of_all = Wire("botcore", statistics=True)
    topic_of_all.outboxes[0].unsubscribe(EVERY)
    for candle in chart(60)[:50]:
        topic_of_all.router.publish(candle)
    topic_of_all.outboxes[0].subscribe(EVERY)
    while topic_of_all.router.flush():
        pass
    (snapshot,) = topic_of_all.sinks["botcore"].messages()
    assert snapshot == live[49]


# ------------------------------------------------------------------ at random


def number(value: float) -> tuple[str, str]:
    return "#", format_double(value)


def numbers(event: Quote | Candle, *fields: str) -> list[Any]:
    return [(field, number(getattr(event, field))) for field in fields]


def taken_apart(message: bytes) -> Any:
    """Objects as lists of pairs, so that order counts, and numbers as they are written."""
    return json.loads(
        message,
        object_pairs_hook=list,
        parse_int=lambda text: ("#", text),
        parse_float=lambda text: ("#", text),
    )


def wrapped_quote(key: str, event: Quote, n: int, seq: int) -> list[Any]:
    body: list[Any] = [("symbol", event.symbol)]
    body += numbers(event, "bid", "ask", "last", "bid_size", "ask_size")
    body += [("seq", ("#", str(seq))), ("event_id", f"evt_{n}")]
    return [("type", "quote"), ("timestamp", iso8601_short(event.time)), (key, body)]


def wrapped_candle(key: str, event: Candle, n: int, seq: int) -> list[Any]:
    body: list[Any] = [("symbol", event.symbol), ("timeframe", event.timeframe)]
    body += numbers(event, "open", "high", "low", "close", "volume")
    body += [("timestamp", iso8601_short(event.time)), ("closed", event.closed)]
    body += [("seq", ("#", str(seq))), ("event_id", f"evt_{n}")]
    stamp = event.time + TIMEFRAMES[event.timeframe]
    return [("type", "candle"), ("timestamp", iso8601_short(stamp)), (key, body)]


def core_of_quote(event: Quote, day: Any) -> list[Any]:
    last, time = event.last, ("#", str(event.time // MS))
    change, volume = (round(value * 1e6) / 1e6 for value in (day.change, day.volume))
    body = [
        ("symbol", event.symbol),
        ("price", number(last)),
        ("change_24h", number(change)),
        ("volume_24h", number(volume)),
        ("high_24h", number(day.high)),
        ("low_24h", number(day.low)),
        ("bid", number(event.bid)),
        ("ask", number(event.ask)),
        ("last_update", time),
    ]
    return [("type", "MarketData"), ("data", body), ("timestamp", time)]


def core_of_candle(event: Candle) -> list[Any]:
    closes = event.time + TIMEFRAMES[event.timeframe]
    candle: list[Any] = [("timestamp", ("#", str(event.time // MS)))]
    candle += numbers(event, "open", "high", "low", "close", "volume")
    candle.append(("close_time", ("#", str(closes // MS))))
    names = ("rsi", "macd", "macd_signal")
    bands = ("bollinger_upper", "bollinger_middle", "bollinger_lower")
    body = [
        ("symbol", event.symbol),
        ("timeframe", event.timeframe),
        ("candle", candle),
        ("indicators", [(name, None) for name in (*names, *bands)]),
    ]
    return [("type", "ChartUpdate"), ("data", body), ("timestamp", ("#", str(closes // MS)))]


def finite(rng: random.Random, wild: float) -> float:
    kind = rng.random()
    if kind > wild:
        return round(rng.uniform(0.01, 70000), rng.randint(0, 5))
    if kind < wild / 3:
        return rng.choice([0.0, -0.0, 5e-324, 1.7976931348623157e308, 1e-7, 1e21, -1.5])
    value = struct.unpack("<d", rng.randbytes(8))[0]
    return value if value - value == 0 else 1.0


def random_event(rng: random.Random, n: int, wild: float = 0.4) -> Quote | Candle:
    values = [finite(rng, wild) for _ in range(5)]
    symbol = rng.choice(['S:"quoted"', "S:back\\slash", "S:Ünï", "C:BTC", f"S:{n % 50}"])
    if rng.random() < 0.5:
        names = ("bid", "ask", "last", "bid_size", "ask_size")
        time = START + n * 10**9 + rng.choice([0, 1, 999, 1000, rng.randrange(10**9)])
        return Quote(symbol, **dict(zip(names, values, strict=True)), time=time)
    names = ("open", "high", "low", "close", "volume")
    timeframe = rng.choice(list(TIMEFRAMES))
    time = START + rng.randrange(1000) * TIMEFRAMES[timeframe]
    return Candle(symbol, timeframe=timeframe, **dict(zip(names, values, strict=True)), time=time)


@pytest.mark.parametrize("name", WRAPPED)
def test_random_events_in_an_envelope_of_iso_times(name):
    rng, wire, key = random.Random(11), Wire(name), WRAPPED[name]
    dialect = load(name)
    events = [random_event(rng, n) for n in range(3000)]
    messages, seqs = wire.publish(*events), {}
    for n, (event, message) in enumerate(zip(events, messages, strict=True), 1):
        quoted = isinstance(event, Quote)
        topic = (event.symbol, "" if quoted else event.timeframe)
        seqs[topic] = seqs.get(topic, 0) + 1
        make = wrapped_quote if quoted else wrapped_candle
        assert taken_apart(message) == make(key, event, n, seqs[topic])
        back = dialect.decode(message)
        assert back.id == n
        if not quoted or event.time % 1000 == 0:
            assert back._key()[:-3] == event._key()[:-3]


def test_random_candles_in_cores_envelope():
    rng, wire = random.Random(12), Wire("botcore")
    events = [random_event(rng, n) for n in range(3000)]
    candles = [one for one in events if isinstance(one, Candle) and one.timeframe in CHARTS]
    messages = wire.publish(*candles)
    assert [taken_apart(one) for one in messages] == [core_of_candle(one) for one in candles]


def test_random_quotes_in_cores_envelope():
    """Prices are those of a market: the statistics of others have no oracle in decimals."""
    rng, wire = random.Random(13), Wire("botcore", statistics=True)
    for n in range(2000):
        event = random_event(rng, n, wild=0)
        if isinstance(event, Quote):
            message = wire.publish(event)[-1]
            day = wire.router.day(event.symbol)
            assert taken_apart(message) == core_of_quote(event, day)


@pytest.mark.parametrize("name", [*WRAPPED, "botcore", "trading-api"])
def test_the_longest_message_fits(name):
    """A symbol of 128 bytes that all are escaped, and the longest numbers and ids there are."""
    symbol, wild = '"' * 128, -2.2250738585072014e-308
    wire = Wire(name)
    wire.router.start_after(2**64 - 10)
    sizes = {"bid_size": wild, "ask_size": wild}
    messages = wire.publish(
        Quote(symbol, bid=wild, ask=wild, last=wild, **sizes, time=START + 1),
        Candle(symbol, timeframe="15m", open=wild, high=wild, low=wild, close=wild, volume=wild),
    )
    assert len(messages) == 2
    for message in messages:
        assert len(message) < 2000
        body = json.loads(message)
        body = body.get("data") or body.get("payload") or body.get("quote") or body["bar"]
        assert body["symbol"] == symbol


# ------------------------------------------------------------------ what it costs

FIVE = ("trading-api", "orchestrator", "dgbit", "botcore", "botcore-ai")


def test_a_quote_in_five_dialects_is_encoded_five_times_and_no_more():
    wire = Wire(*FIVE)
    more = [wire.router.attach(MemorySink(), outbox.dialect) for outbox in wire.outboxes]
    for outbox in more:
        outbox.subscribe([("S:AAPL", "quote"), ("S:*", "quote"), ("*", "candle@1m")])
    wire.publish(quote(START))
    assert wire.router.counters().encoded == 5


def test_a_dialect_that_nobody_listens_to_costs_nothing():
    wire = Wire(*FIVE)
    for outbox in wire.outboxes[1:]:
        outbox.unsubscribe(EVERY)
    wire.publish(quote(START), bar())
    assert wire.router.counters().encoded == 2
    for outbox in wire.outboxes:
        outbox.unsubscribe(EVERY)
    wire.publish(quote(START), bar())
    assert wire.router.counters().encoded == 2
