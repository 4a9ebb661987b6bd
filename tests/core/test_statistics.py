"""A symbol's last 24 hours, against an oracle that keeps every quote."""

from __future__ import annotations

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Quote
from fastrouter.core.router import Router

from .market import quotes, ticks
from .peer import MINUTE, SECOND, START

INTERVAL = 5 * MINUTE
DAY = 24 * 60 * MINUTE


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(START), statistics=True)


class Oracle:
    """All quotes of a symbol that count, and what is within the day up to the newest."""

    def __init__(self):
        self.quotes = []  # time, price, volume
        self.newest = None

    def add(self, time, price, volume):
        if self.newest is not None and time // INTERVAL < self.newest // INTERVAL:
            return
        self.newest = time if self.newest is None else max(time, self.newest)
        self.quotes.append((time, price, volume))

    def day(self):
        begin = self.newest // INTERVAL * INTERVAL + INTERVAL - DAY
        inside = [one for one in self.quotes if one[0] >= begin]
        before = [one for one in self.quotes if one[0] < begin]
        first = last_of(before) if before else self.quotes[0][1]
        last = last_of(inside)
        return (
            first,
            max(price for _, price, _ in inside),
            min(price for _, price, _ in inside),
            sum(volume for *_, volume in inside),
            last,
            (last - first) / first * 100,
            max(begin, self.quotes[0][0]),
        )


def last_of(quotes):
    """The price of the newest; of several at that time the one that came last."""
    newest = max(time for time, *_ in quotes)
    return [price for time, price, _ in quotes if time == newest][-1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [300, 3000])
def test_three_days_of_a_random_walk(router, seed, count):
    """With gaps of hours, quotes out of order and late ones."""
    rng = np.random.default_rng(seed)
    rows = ticks(rng, count, symbols=3, start=START - DAY, gap=2 * 3 * DAY // count)
    rows["time"] += rng.integers(-200, 200, count) * SECOND
    quiet = rng.integers(0, 3 * DAY, 3) + START - DAY
    for at in quiet:
        rows = rows[(rows["time"] < at) | (rows["time"] > at + DAY // 5)]
    volumes = rng.integers(0, 800, len(rows)) / 8
    oracles = {}
    for at in range(0, len(rows), 50):
        part = slice(at, at + 50)
        router.publish_batch(rows[part], volumes[part])
        for row, volume in zip(rows[part].tolist(), volumes[part].tolist(), strict=True):
            oracles.setdefault(row[0].decode(), Oracle()).add(row[1], row[4], volume)
        for symbol, oracle in oracles.items():
            assert router.day(symbol) == pytest.approx(oracle.day(), rel=1e-12)
    assert len(oracles) == 3


@pytest.mark.parametrize("start", [0, -7 * DAY, START])
def test_a_whole_day_of_one_a_minute(router, start):
    """More than all intervals there are."""
    minutes = 2 * 24 * 60
    for minute in range(minutes):
        time = start + minute * MINUTE + 1
        router.publish(Quote("S:A", bid=minute, ask=minute, time=time))
    day = router.day("S:A")
    begin = start + minutes * MINUTE - DAY
    inside = 24 * 60
    assert day.since == begin
    assert day.open == minutes - inside - 1, "the last price before it began"
    assert (day.high, day.low, day.volume) == (minutes - 1, minutes - inside, inside)


def test_a_young_symbol(router):
    router.publish_batch(quotes(("S:A", 1000, 5.0), ("S:A", 1010, 4.0)))
    assert router.day("S:A") == (5.0, 5.0, 4.0, 2.0, 4.0, pytest.approx(-20), 1000 * SECOND)


def test_a_symbol_that_was_silent_for_longer_than_a_day(router):
    router.publish_batch(quotes(("S:A", 1000, 5.0), ("S:A", 1000 + 3 * 86400, 6.0)))
    day = router.day("S:A")
    assert (day.open, day.high, day.low, day.volume) == (5.0, 6.0, 6.0, 1.0)
    assert day.change == pytest.approx(20)


def test_out_of_order_and_late(router):
    router.publish_batch(
        quotes(("S:A", 650, 5.0), ("S:A", 610, 9.0), ("S:A", 599, 1.0), ("S:A", 650, 6.0))
    )
    day = router.day("S:A")
    assert (day.high, day.low, day.volume, day.last) == (9.0, 5.0, 3.0, 6.0)


def test_prices_that_have_no_percent(router):
    router.publish_batch(quotes(("S:A", 1, 0.0), ("S:A", 2, 6.0)))
    assert router.day("S:A").change == 0.0


def test_symbols_without_a_day(router):
    router.publish("order", {"symbol": "S:B"})
    assert router.day("S:A") is None
    assert router.day("S:B") is None
    assert router.day("") is None


def test_the_mid():
    router = Router(clock=Clock(START), statistics=True, price="mid")
    router.publish(Quote("S:A", bid=1.0, ask=2.0, last=9.0))
    assert router.day("S:A").last == 1.5
