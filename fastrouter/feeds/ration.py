"""How often something is worth a line in the log."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Ration"]


class Ration:
    """Lets the first of a kind through, and then one in `seconds`."""

    def __init__(self, seconds: float = 10.0, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._next = float("-inf")
        self._kept_back = 0

    def ask(self) -> int | None:
        """How many were kept back since the last that was let through; None: keep this one, too."""
        now = self._now()
        if now < self._next:
            self._kept_back += 1
            return None
        self._next = now + self._seconds
        kept_back, self._kept_back = self._kept_back, 0
        return kept_back
