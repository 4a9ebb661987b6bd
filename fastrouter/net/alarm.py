"""The loop calls back after a while; an alarm, when a clock reaches a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastrouter.core.clock import Clock

__all__ = ["Alarm"]

SHORTEST = 0.001  # s; what the loop's timers can tell apart
LONGEST = 60.0  # s; a clock that was set is noticed then


class Alarm:
    """Calls `ring` when `clock` reaches the time it is set to, on the running loop.

    It may ring a moment early, and rings once: who rings sets it again.
    """

    def __init__(self, clock: Clock, ring: Callable[[], object]) -> None:
        self._clock = clock
        self._ring = ring
        self._at: int | None = None
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: int | None) -> None:
        """Ring at `at`, ns of the clock, instead of what it was set to; None: not at all."""
        if at == self._at:
            return
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._at = at
        if at is not None:
            seconds = (at - self._clock.time_ns()) / 1e9
            self._handle = asyncio.get_running_loop().call_later(
                min(max(seconds, SHORTEST), LONGEST), self._rings
            )

    def _rings(self) -> None:
        self._at = self._handle = None
        self._ring()
