"""What a router has done since its start, as plain numbers.

Every event that was put before a session ends in exactly one place, so that at
any time, over all kinds and sessions::

    sum(offered) + snapshots + replayed == delivered + sum(conflated) + sum(dropped) + waiting
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastrouter.core.kinds import EVENT_TYPES, KINDS

__all__ = ["REASONS", "Counters", "Histogram"]

#: Why events that waited for a session were dropped, in the order of the core's table.
#: ``resumed``: it waited when the session was held, and is brought again.
REASONS = ("overflow", "budget", "closed", "broken", "unsubscribed", "resumed")


class Histogram(NamedTuple):
    """Counts in buckets whose bounds are powers of two.

    ``buckets[i]`` counts the values that need `i` bits: 0, 1, 2 to 3, 4 to 7 …
    """

    buckets: list[int]
    sum: int  #: of all values

    @property
    def total(self) -> int:
        """How many values there are."""
        return sum(self.buckets)

    @staticmethod
    def largest(bucket: int) -> int:
        """The largest value that bucket number `bucket` counts."""
        return (1 << bucket) - 1


class Counters(NamedTuple):
    """A router's counters; all but the first three and the last three only rise."""

    #: attached sessions
    sessions: int
    #: topics seen or subscribed to
    topics: int
    #: events that wait to be sent, over all sessions
    waiting: int

    #: events published, by kind
    events: dict[str, int]
    #: forming candles offered to nobody: too soon after another of their topic
    throttled: int
    #: frames encoded: one an event and dialect that listens, and one a snapshot or owed value
    encoded: int

    #: events put before sessions, by kind: one an event and matched session; what
    #: `Router.notice` says of a topic counts as an event of its kind here and below
    offered: dict[str, int]
    #: last values owed to sessions for what they subscribed to, besides those offered
    snapshots: int
    #: recorded events brought to sessions that were held; those are offered nothing
    replayed: int
    #: events that a newer one of their topic replaced before they were sent, by kind
    conflated: dict[str, int]
    #: events that will not be sent, by one of `REASONS`; what a session that was given up is
    #: offered until it is closed is among them
    dropped: dict[str, int]
    #: sessions given up, by one of `REASONS`
    given_up: dict[str, int]

    #: events handed to sinks
    delivered: int
    #: writes to sinks
    sends: int
    #: bytes handed to sinks, control messages included
    sent_bytes: int
    #: us from publish to send of the oldest event of each send; a session that was blocked or
    #: owed a snapshot is not in it until it has caught up
    latency: Histogram
    #: events of each send; 0 when it held control messages alone
    batch: Histogram

    #: bytes of control messages and lossless events held for single sessions, in all
    backlog_bytes: int
    #: ... and for the session that holds most
    backlog_most: int

    @property
    def published(self) -> int:
        """Events published, of all kinds."""
        return sum(self.events.values())


def by_kind(rows: Sequence[int]) -> dict[str, int]:
    """What was counted by event type, by kind."""
    counts = dict.fromkeys(KINDS, 0)
    for event_type, count in zip(EVENT_TYPES, rows, strict=True):
        counts[event_type.partition("@")[0]] += count
    return counts


def by_reason(rows: Sequence[int]) -> dict[str, int]:
    """What was counted by reason."""
    return dict(zip(REASONS, rows, strict=True))
