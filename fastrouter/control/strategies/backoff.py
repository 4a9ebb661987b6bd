"""When a program that crashed is started again."""

from __future__ import annotations

from collections import deque

from fastrouter.control.strategies.spec import Restarts

__all__ = ["Backoff"]


class Backoff:
    """Counts crashes. Times are those of any monotonic clock, in seconds."""

    def __init__(self, restarts: Restarts) -> None:
        self._restarts = restarts
        self._crashes: deque[float] = deque()

    def crashed(self, now: float) -> float | None:
        """The seconds until it may start again; None: that was once too often."""
        restarts, crashes = self._restarts, self._crashes
        while crashes and crashes[0] <= now - restarts.window:
            crashes.popleft()
        if len(crashes) >= restarts.most:
            return None
        crashes.append(now)
        doublings = min(len(crashes) - 1, 64)
        return float(min(restarts.shortest * 2**doublings, restarts.longest))
