"""How fast a client may talk: one row per dialect, and the meter that counts."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["RATE_LIMITS", "Meter", "RateLimit", "Verdict", "rate_limit"]

SECOND = 1_000_000_000  # ns
NOTHING: Mapping[str, float] = MappingProxyType({})


class RateLimit(NamedTuple):
    """At most `messages` in any `seconds`, a warning from the share `warn` of them on.

    Types in `free` do not count. `spacing` maps a type to the seconds that
    must lie between two of it. `messages` 0: as many as they like.
    """

    messages: int = 100
    seconds: float = 60.0
    warn: float = 0.8
    free: frozenset[str] = frozenset({"pong", "event_ack"})
    spacing: Mapping[str, float] = NOTHING


#: CORE: a Ping each 30 s, less 5 s for the jitter of its clients' own timers
PING = MappingProxyType({"Ping": 30.0 - 5.0})

#: dialect -> its limit; the first row is for every other
RATE_LIMITS = {
    "trading-api": RateLimit(),
    "orchestrator": RateLimit(),
    "dgbit": RateLimit(),
    "botcore": RateLimit(spacing=PING),
    "botcore-ai": RateLimit(spacing=PING),
}


def rate_limit(dialect: str, messages: int | None = None) -> RateLimit:
    """The limit of a dialect, with another number of messages when one is configured."""
    row = RATE_LIMITS.get(dialect, RATE_LIMITS["trading-api"])
    return row if messages is None else row._replace(messages=messages)


class Verdict(Enum):
    """What a message means for the session that sent it."""

    FINE = "fine"
    WARN = "warn"
    BEYOND = "beyond"


class Meter:
    """Counts one session's messages in a sliding window; `now` is in ns, and never falls."""

    __slots__ = ("_last", "_times", "_warned", "limit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._times: deque[int] | None = None  # an idle session needs none
        self._last: dict[str, int] | None = None
        self._warned: int | None = None

    @property
    def used(self) -> int:
        """Messages in the window that the last one closed."""
        return len(self._times) if self._times is not None else 0

    def note(self, kind: str | None, now: int) -> Verdict:
        """Count a message of type `kind`; None for one that has no type one could know."""
        if kind in self.limit.free:
            return Verdict.FINE
        if kind is not None and kind in self.limit.spacing and self._too_soon(kind, now):
            return Verdict.BEYOND
        return self._count(now) if self.limit.messages else Verdict.FINE

    def _too_soon(self, kind: str, now: int) -> bool:
        if self._last is None:
            self._last = {}
        before = self._last.get(kind)
        self._last[kind] = now
        return before is not None and now - before < self.limit.spacing[kind] * SECOND

    def _count(self, now: int) -> Verdict:
        window = int(self.limit.seconds * SECOND)
        times = self._times = deque() if self._times is None else self._times
        while times and now - times[0] >= window:
            times.popleft()
        times.append(now)
        if len(times) > self.limit.messages:
            return Verdict.BEYOND
        told = self._warned is not None and now - self._warned < window
        if told or len(times) < math.ceil(self.limit.warn * self.limit.messages):
            return Verdict.FINE
        self._warned = now
        return Verdict.WARN
