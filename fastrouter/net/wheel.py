"""When is whose deadline? One timer for all sessions, however many there are."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Wheel"]

T = TypeVar("T", bound=Hashable)


class Wheel(Generic[T]):
    """Calls ``due(item)`` soon after each item's deadline, to `grain` seconds.

    Items of one grain share a timer slot, so ten thousand idle sessions cost a
    handful of wake-ups a second; nothing runs while nothing is scheduled. What
    ``due`` raises is handed to the loop; the item is forgotten then.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, due: Callable[[T], None], grain: float = 0.1
    ) -> None:
        self._loop = loop
        self._due = due
        self._grain = grain
        self._slots: defaultdict[int, set[T]] = defaultdict(set)
        self._slot_of: dict[T, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._when = math.inf  # of the timer: uvloop's knows only when it is not due at once

    def schedule(self, item: T, when: float) -> None:
        """Have ``due(item)`` called once at `when` (loop time, s); replaces an earlier one."""
        self.cancel(item)
        slot = int(when / self._grain) + 1
        self._slots[slot].add(item)
        self._slot_of[item] = slot
        if self._timer is None or slot * self._grain < self._when:
            self._arm()

    def cancel(self, item: T) -> None:
        """Forget the item's deadline, if it has one."""
        slot = self._slot_of.pop(item, None)
        if slot is None or slot not in self._slots:
            return
        self._slots[slot].discard(item)
        if not self._slots[slot]:
            del self._slots[slot]

    def close(self) -> None:
        """Forget everything."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots.clear()
        self._slot_of.clear()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._slots:
            self._when = min(self._slots) * self._grain
            self._timer = self._loop.call_at(self._when, self._turn)

    def _turn(self) -> None:
        self._timer = None
        reached = int(self._loop.time() / self._grain + 1e-6)
        for slot in sorted(slot for slot in self._slots if slot <= reached):
            for item in self._slots.pop(slot):
                if self._slot_of.get(item) == slot:  # not cancelled meanwhile
                    del self._slot_of[item]
                    self._call(item)
        self._arm()

    def _call(self, item: T) -> None:
        try:
            self._due(item)
        except Exception as error:  # a dialect's, say; it must not stop the others
            self._loop.call_exception_handler(
                {"message": "what was due failed", "exception": error}
            )
