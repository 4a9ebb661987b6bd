"""What candles and statistics of the quote stream cost: seven timeframes, a day, with the journal.

A row of `publish_batch` to nobody, of 5,000 quotes a second in market time, without and with them.
What they close is in it: a candle of a second each 25 quotes. The figure is the difference.
"""

import numpy as np
import pytest

from fastrouter.bench.aims import Aim, ns, slope
from fastrouter.bench.stream import START, STEP, SYMBOLS, quotes
from fastrouter.core.clock import Clock
from fastrouter.core.event import Candle
from fastrouter.core.record import Recorder
from fastrouter.core.router import Router
from fastrouter.core.timeframe import CHART_TIMEFRAMES
from fastrouter.dialects.indicators import indicators
from fastrouter.journal.journal import Journal
from fastrouter.net.clock import MonotonicClock

ROWS = 10_000
MANY = 5_000  # symbols, of which each ticks once a second
SPAN = ROWS * STEP  # ns

WAYS = {
    "none": {},
    "statistics": {"statistics": True},
    "candles": {"candles": CHART_TIMEFRAMES},
    "both": {"candles": CHART_TIMEFRAMES, "statistics": True},
}

AIMS = [
    Aim(
        "candles of seven timeframes and statistics, a quote, ns",
        200,
        slope(f"quotes[both-{SYMBOLS}]", f"quotes[none-{SYMBOLS}]", 1),
    ),
    Aim(
        f"... of {MANY:,} symbols, where a quote closes a candle, ns",
        200,
        slope(f"quotes[both-{MANY}]", f"quotes[none-{MANY}]", 1),
    ),
    Aim(
        "... with the journal, ns",
        200,
        slope("recorded", f"quotes[none-{SYMBOLS}]", 1),
    ),
    Aim("indicators of 250 closes, ns", 50_000, ns("indicators")),
]


class Closed(Recorder):
    """Keeps closed candles."""

    def __init__(self):
        self.candles: list[Candle] = []

    def record(self, record):
        self.candles.append(record.payload)


def check(way, symbols):
    """The candles of a second are those of their quotes."""
    closed = Closed()
    router = Router(clock=Clock(START), recorder=closed, **WAYS[way])
    rows = quotes(ROWS, symbols)
    router.publish_batch(rows)
    router.close_candles(2**62)
    found = {
        (candle.symbol.encode(), candle.time): (candle.open, candle.high, candle.low, candle.close)
        for candle in closed.candles
        if candle.timeframe == "1s"
    }
    expected = {}
    for symbol, time, last in rows[["symbol", "time", "last"]].tolist():
        key = symbol, time // 10**9 * 10**9
        first, high, low, _ = expected.get(key, (last, last, last, last))
        expected[key] = first, max(high, last), min(low, last), last
    assert found == (expected if router.candles else {})
    if router.statistics:
        assert router.day(rows["symbol"][-1].decode()).last == rows["last"][-1]


def measure(per_item, way, symbols, recorder=None):
    check(way, symbols)
    router = Router(clock=Clock(START), timer=MonotonicClock(), recorder=recorder, **WAYS[way])
    rows = quotes(ROWS, symbols)
    router.publish_batch(rows)

    def later():
        rows["time"] += SPAN

    per_item(lambda: router.publish_batch(rows), ROWS, setup=later)
    assert router.late == 0
    closed = router.counters().events["candle"]
    assert bool(closed) is bool(router.candles)


@pytest.mark.parametrize("symbols", [1, SYMBOLS, MANY])
@pytest.mark.parametrize("way", WAYS)
def test_quotes(per_item, way, symbols):
    measure(per_item, way, symbols)


def test_recorded(per_item):
    with Journal() as journal:
        measure(per_item, "both", SYMBOLS, journal)


def test_indicators(per_item):
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 250)))
    found = indicators(closes)
    assert found.bollinger_middle == pytest.approx(closes[-20:].mean())
    per_item(lambda: indicators(closes), 1)
