"""The synthetic feed: a market of its own, for trying things out and for measuring."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from ..core.dtypes import Rows
from ..errors import FeedError
from .feed import Publisher
from .market import Market, market_symbols
from .pace import GRAIN, Clock, Pace, Sleep

__all__ = ["SyntheticFeed"]

SECOND = 1_000_000_000
BATCH = 4096
"""Most quotes published at once when paced."""

NEVER = 2**63 - 1

STEP = SECOND / 1000
"""Between two quotes (ns) of a simulated clock that no rate drives."""


class SyntheticFeed:
    """Quotes of a random walk; the same seed, the same quotes.

    :param symbols: how many, or their names.
    :param rate: quotes a second in all; None for as fast as the router drains.
    :param seed: of the random walk.
    :param start: where a simulated clock begins (ns since the epoch): quotes are 1 / rate
        apart, 1 ms without a rate. None: times are those of the wall clock at publication.
    :param limit: end after so many quotes.
    :param block: quotes between two waits for the router to drain, without a rate.
    """

    def __init__(
        self,
        *,
        symbols: int | Sequence[str] = 20,
        rate: float | None = 1000.0,
        seed: int = 1,
        start: int | None = None,
        limit: int | None = None,
        block: int = 64,
        clock: Clock = time.time_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise FeedError(f"rate must be a positive number of quotes a second, not {rate!r}")
        if limit is not None and limit < 0:
            raise FeedError(f"limit must not be negative, not {limit}")
        if block < 1:
            raise FeedError(f"block must be at least 1, not {block}")
        if not isinstance(seed, int) or seed < 0:
            raise FeedError(f"seed must be an integer from 0, not {seed!r}")
        self.symbols = market_symbols(symbols)
        self.on_state: Callable[[bool], None] | None = None
        self.on_gap: Callable[[str], None] | None = None
        self.published = 0
        self.bad_rows = 0
        self._rate = rate
        self._seed = seed
        self._start = start
        self._limit = limit
        self._block = block
        self._clock = clock
        self._step = STEP if rate is None else SECOND / rate
        self._pace = Pace(clock=clock, sleep=sleep)
        self._market = Market(self.symbols, seed)

    def describe(self) -> str:
        rate = "as fast as possible" if self._rate is None else f"{self._rate:,.10g} quotes/s"
        return f"synthetic: {len(self.symbols):,} symbols, {rate}, seed {self._seed}"

    async def run(self, router: Publisher) -> None:
        """Publish for ever, or until ``limit``."""
        if self._rate is None:
            await self._run_fast(router)
        else:
            await self._run_paced(router)

    async def _run_fast(self, router: Publisher) -> None:
        while left := self._left(self._block):
            self._publish(router, left, self._position(self.published))
            await router.drained()

    async def _run_paced(self, router: Publisher) -> None:
        self._pace.start(self._position(self.published))
        rested = 0
        while self._left(1):
            position = self._position(self.published)
            reached = await self._pace.wait(min(max(position, rested), self._close_due(router)))
            if reached >= position:
                due = self._left(int((reached - position) / self._step) + 1)
                if self._publish(router, min(due, BATCH), reached) == due:
                    rested = reached + GRAIN
            else:
                router.close_candles(self._time(reached))
            await router.drained()

    def _publish(self, router: Publisher, most: int, position: int) -> int:
        rows = self._market.take(most)
        now = self._time(position)
        self._stamp(rows, now)
        if self._start is not None:
            router.close_candles(int(rows["time"][0]))
        router.publish_batch(rows)
        self.published += len(rows)
        return len(rows)

    def _stamp(self, rows: Rows, now: int) -> None:
        if self._start is None:
            rows["time"] = now
        else:
            index = np.arange(self.published, self.published + len(rows))
            rows["time"] = self._start + (index * self._step).astype(np.int64)

    def _left(self, most: int) -> int:
        return most if self._limit is None else min(most, self._limit - self.published)

    def _position(self, index: int) -> int:
        """When quote ``index`` is due, in ns since quote 0."""
        return int(index * self._step)

    def _time(self, position: int) -> int:
        return self._clock() if self._start is None else self._start + position

    def _close_due(self, router: Publisher) -> int:
        """The position at which a candle of a simulated clock ends, whether or not a quote is due.

        Those of the wall clock are closed by the router.
        """
        if self._start is None or router.next_close is None:
            return NEVER
        return router.next_close - self._start
