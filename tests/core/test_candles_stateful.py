"""Quotes, clocks and candles from outside in any order, against the rules said slowly.

The quick form is what every run does; the long one is
``pytest --hypothesis-profile=long --timeout=0 tests/core/test_candles_stateful.py``.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fastrouter.core.clock import Clock
from fastrouter.core.event import Candle, Quote
from fastrouter.core.router import Router
from fastrouter.core.timeframe import TIMEFRAMES

from .market import Closed
from .peer import MINUTE, SECOND, START, Peer

CHOSEN = ("1s", "1m", "3m", "5m")
LIVE = 10 * SECOND
SYMBOLS = ("S:A", "C:A")
symbol = st.sampled_from(SYMBOLS)
timeframe = st.sampled_from(CHOSEN)
step = st.one_of(
    st.integers(-2 * SECOND, 2 * SECOND),
    st.sampled_from((-MINUTE, 0, 1, SECOND, MINUTE - 1, MINUTE, 3 * MINUTE, 60 * MINUTE)),
)
Key = tuple[str, str]


class Slow:
    """What forms of one symbol and timeframe: its quotes."""

    def __init__(self, length: int):
        self.length = length
        self.quotes: list[tuple[int, float]] = []
        self.earliest: int | None = None  # what is older is late
        self.outside = False

    @property
    def end(self) -> int:
        assert self.earliest is not None
        return self.earliest + self.length

    def close(self) -> tuple[int, float, float, float, float, float]:
        candle = self.candle()
        self.quotes, self.earliest = [], self.end
        return candle

    def candle(self):
        prices = [price for _, price in self.quotes]
        newest = max(time for time, _ in self.quotes)
        last = [price for time, price in self.quotes if time == newest][-1]
        return (self.earliest, prices[0], max(prices), min(prices), last, float(len(prices)))


class Candles(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(START)
        self.recorder = Closed()
        self.router = Router(
            clock=self.clock, candles=CHOSEN, statistics=True, recorder=self.recorder
        )
        self.peer = Peer(self.router, *(("*", f"candle@{name}") for name in CHOSEN))
        self.slow: dict[Key, Slow] = {
            (symbol, name): Slow(TIMEFRAMES[name]) for symbol in SYMBOLS for name in CHOSEN
        }
        self.live = dict.fromkeys(SYMBOLS, False)
        self.newest: dict[str, int] = {}
        self.expected: list[tuple] = []
        self.seen: dict[Key, tuple] = {}
        self.late = 0
        self.time = START
        self.price = 0.0

    @rule(symbol=symbol, step=step)
    def publish(self, symbol, step):
        self.price = (self.price * 7 + 3) % 101
        self.time += step
        if self.time >= self.newest.get(symbol, self.time):
            self.newest[symbol] = self.time
            self.live[symbol] = self.time > self.clock.time_ns() - LIVE
        for name in CHOSEN:
            self.add(symbol, name)
        self.router.publish(Quote(symbol, bid=self.price, ask=self.price, time=self.time))

    def add(self, symbol, name):
        slow = self.slow[symbol, name]
        if slow.outside:
            return
        if slow.earliest is not None and self.time < slow.earliest:
            self.late += 1
            return
        if slow.quotes and self.time >= slow.end:
            self.expected.append((symbol, name, *slow.close()))
        if not slow.quotes:
            slow.earliest = self.time // slow.length * slow.length
        slow.quotes.append((self.time, self.price))

    @rule(step=step, live=st.booleans())
    def close(self, step, live):
        now = self.time + step
        ended = [
            (symbol, name, *slow.close())
            for (symbol, name), slow in self.slow.items()
            if slow.quotes and slow.end <= now and (self.live[symbol] or not live)
        ]
        ended.sort(key=lambda one: list(self.newest).index(one[0]))
        self.expected += ended
        self.router.close_candles(now, live=live)
        ends = [slow.end for slow in self.slow.values() if slow.quotes]
        if not live and ended:
            assert self.router.next_close == min(ends, default=None)

    @rule(symbol=symbol, name=timeframe, closed=st.booleans())
    def from_outside(self, symbol, name, closed):
        slow = self.slow[symbol, name]
        slow.outside, slow.quotes = True, []
        time = self.time // slow.length * slow.length
        self.router.publish(
            Candle(symbol, timeframe=name, open=1, high=1, low=1, close=1, volume=1, time=time,
                   closed=closed)
        )  # fmt: skip
        if closed:
            self.expected.append((symbol, name, time, 1.0, 1.0, 1.0, 1.0, 1.0))

    @rule(step=st.integers(0, 3 * SECOND))
    def let_time_pass(self, step):
        self.clock.set(self.clock.time_ns() + step)

    @rule()
    def move_on(self):
        """The time of quotes is the clock's again."""
        self.time = max(self.time, self.clock.time_ns())

    @rule()
    def flush(self):
        while self.router.flush(10):
            pass
        for message in self.peer.read():
            bar = message["bar"]
            key = bar["symbol"], bar["timeframe"]
            self.seen[key] = (bar["close"], bar["volume"], bar["closed"])

    @invariant()
    def what_closed_is_right(self):
        found = [
            (c.symbol, c.timeframe, c.time, c.open, c.high, c.low, c.close, c.volume)
            for c in (record.payload for record in self.recorder.records)
        ]
        assert found == self.expected
        assert self.router.late == self.late

    @invariant()
    def ends_are_not_missed(self):
        forming = {key: slow for key, slow in self.slow.items() if slow.quotes}
        if forming:
            assert self.router.next_close <= min(slow.end for slow in forming.values())
        live = [slow.end for (symbol, _), slow in forming.items() if self.live[symbol]]
        if live:
            assert self.router.next_live_close <= min(live)

    def teardown(self):
        """The last of what forms arrives; the owner needs nothing but `next_due` for it."""
        self.flush()
        while self.router.next_due is not None:
            self.clock.set(max(self.clock.time_ns(), self.router.next_due))
            self.flush()
        for key, slow in self.slow.items():
            if slow.quotes:
                *_, close, volume = slow.candle()
                assert self.seen[key] == (f"{close:.15g}", f"{volume:.15g}", False)
        assert self.router.next_due is None


TestCandles = Candles.TestCase
