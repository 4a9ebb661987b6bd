"""What clients acknowledge: how much, and how long after it was published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastrouter.core.clock import Clock

__all__ = ["BUCKETS", "Acks", "event_number"]

#: ``latency[i]`` counts latencies below 2**i µs, and not below 2**(i-1); the last all above
BUCKETS = 32

_EVENT_ID = re.compile(r"evt_([0-9]{1,20})", re.ASCII)


def event_number(text: str) -> int | None:
    """``evt_<n>`` -> n; None for anything else."""
    found = _EVENT_ID.fullmatch(text)
    return int(found[1]) if found is not None else None


class Acks:
    """The account of all acks of one endpoint.

    `published_at(id)` is the `timer`'s time (ns) at which an event was
    published, 0 when that is not known (any more).
    """

    __slots__ = ("_published_at", "_timer", "events", "latency", "messages", "unknown")

    def __init__(self, published_at: Callable[[int], int], timer: Clock) -> None:
        self._published_at = published_at
        self._timer = timer
        self.messages = 0
        self.events = 0
        self.unknown = 0
        self.latency = [0] * BUCKETS

    def note(self, ids: Iterable[str]) -> None:
        """Count one ack and the events it names; an id nobody knows is counted as such."""
        now = self._timer.time_ns()
        self.messages += 1
        for text in ids:
            self.events += 1
            number = event_number(text)
            published = self._known(number) if number is not None else 0
            if published:
                micros = max(now - published, 0) // 1000
                self.latency[min(micros.bit_length(), BUCKETS - 1)] += 1
            else:
                self.unknown += 1

    def _known(self, number: int) -> int:
        return self._published_at(number) if number < 1 << 63 else 0
