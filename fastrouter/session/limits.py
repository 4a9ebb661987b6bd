"""How fast a client may talk: one row per dialect, and the meter that counts."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["RATE_LIMITS", "Meter", "RateLimit", "Usage", "Verdict", "rate_limit"]

SECOND = 1_000_000_000  # ns
NOTHING: Mapping[str, float] = MappingProxyType({})


class RateLimit(NamedTuple):
    """At most `messages` in any `seconds`, a warning from the share `warn` of them on.

    Types in `free` do not count. `spacing` maps a type to the seconds that
    must lie between two of it, less `tolerance` for the jitter of the client's
    timer; the first that comes too soon is a warning, another within `seconds`
    of that is beyond the limit. `messages` 0: as many as they like.
    """

    messages: int = 100
    seconds: float = 60.0
    warn: float = 0.8
    free: frozenset[str] = frozenset({"pong", "event_ack"})
    spacing: Mapping[str, float] = NOTHING
    tolerance: float = 5.0


#: CORE: one Ping in 30 s; its own clients send one each 30 s
PING = MappingProxyType({"Ping": 30.0})

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


class Usage(NamedTuple):
    """How much of a limit is used."""

    what: str  # is counted
    used: int
    limit: int
    seconds: float  # of the window

    def __str__(self) -> str:
        return f"{self.used} {self.what} in {self.seconds:g} s; allowed: {self.limit}"


class Meter:
    """Counts one session's messages in a sliding window; `now` is in ns, and never falls.

    `usage` is what the last verdict but FINE was about.
    """

    __slots__ = ("_hurried", "_last", "_times", "_warned", "limit", "usage")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.usage: Usage | None = None
        self._times: deque[int] | None = None  # an idle session needs none
        self._last: dict[str, int] | None = None
        self._warned: int | None = None  # when, of too many messages
        self._hurried: int | None = None  # when, of one too soon

    def note(self, kind: str | None, now: int) -> Verdict:
        """Count a message of type `kind`; None for one that has no type one could know."""
        if kind in self.limit.free:
            return Verdict.FINE
        soon = self._space(kind, now) if kind in self.limit.spacing else Verdict.FINE
        if soon is Verdict.BEYOND or not self.limit.messages:
            return soon
        many = self._count(now)
        return soon if many is Verdict.FINE else many

    def _space(self, kind: str | None, now: int) -> Verdict:
        assert kind is not None
        if self._last is None:
            self._last = {}
        before = self._last.get(kind)
        self._last[kind] = now
        spacing = self.limit.spacing[kind]
        if before is None or now - before >= (spacing - self.limit.tolerance) * SECOND:
            return Verdict.FINE
        self.usage = Usage(kind, 2, 1, spacing)
        if self._recent(self._hurried, now):
            return Verdict.BEYOND
        self._hurried = now
        return Verdict.WARN

    def _count(self, now: int) -> Verdict:
        limit = self.limit
        times = self._times = deque() if self._times is None else self._times
        while times and not self._recent(times[0], now):
            times.popleft()
        times.append(now)
        few = len(times) < math.ceil(limit.warn * limit.messages)
        if few or (len(times) <= limit.messages and self._recent(self._warned, now)):
            return Verdict.FINE
        self.usage = Usage("messages", len(times), limit.messages, limit.seconds)
        if len(times) > limit.messages:
            return Verdict.BEYOND
        self._warned = now
        return Verdict.WARN

    def _recent(self, then: int | None, now: int) -> bool:
        return then is not None and now - then < int(self.limit.seconds * SECOND)
