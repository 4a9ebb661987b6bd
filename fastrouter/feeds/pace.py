"""Pacing: when is what due?

A feed's data have positions (ns, on a clock of their own); a `Pace` maps the wall clock to
them. It is anchored once, so that sleeping too long never adds up to a drift. A feed that
fell behind catches up, but by no more than `SLACK`: what is older than that is delayed,
not poured out at once. A wall clock that is set back delays nothing.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

from ..errors import FeedError

__all__ = ["GRAIN", "Clock", "Pace", "Sleep"]

Clock = Callable[[], int]
"""Now, in ns since the epoch."""

Sleep = Callable[[float], Awaitable[object]]
"""Sleeps for so many seconds."""

MS = 1_000_000
GRAIN = 1 * MS
"""The shortest sleep (ns): waking more often costs more than it gives."""

NAP = 1000 * MS
"""The longest sleep (ns), so that a wall clock that was set is noticed."""

SLACK = 250 * MS
"""How far behind a feed may catch up (ns of wall time)."""


class Pace:
    """Maps the wall clock to positions, ``speed`` times as fast; `start` anchors it."""

    def __init__(
        self, speed: float = 1.0, *, clock: Clock = time.time_ns, sleep: Sleep = asyncio.sleep
    ) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise FeedError(f"speed must be a positive number, not {speed!r}")
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._anchor = self._seen = self._origin = 0

    def start(self, position: int) -> None:
        """Make ``position`` due now."""
        self._anchor = self._seen = self._clock()
        self._origin = position

    def reached(self) -> int:
        """The position that is due now."""
        now = self._clock()
        if now < self._seen:
            self._anchor += now - self._seen
        self._seen = now
        return self._origin + int((now - self._anchor) * self._speed)

    async def wait(self, position: int) -> int:
        """Return once ``position`` is due, at once if it is; return the position reached.

        That is at most SLACK past ``position``: the schedule moves if it was more.
        """
        reached = self.reached()
        while reached < position:
            short = (position - reached) / self._speed
            await self._sleep(min(max(short, GRAIN), NAP) / 1e9)
            reached = self.reached()
        excess = (reached - position) / self._speed - SLACK
        if excess > 0:
            self._anchor += int(excess)
            reached = self.reached()
        return reached
