"""Publishes what the store has kept: in its order, each event once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from fastrouter.control.broker_store import Event
from fastrouter.control.venue import Venue
from fastrouter.core.kinds import topic_symbol

__all__ = ["Announcer", "Delivery"]


class Delivery(Protocol):
    """`fastrouter.journal.delivery.Delivery`: which of them are published."""

    @property
    def done(self) -> int: ...
    def skip_to(self, number: int) -> None: ...
    def begin(self, number: int, last_id: int) -> None: ...
    def end(self, number: int) -> None: ...


class Announcer:
    """`delivery` remembers over restarts what was published, where the journal has a file or
    a spool.
    """

    def __init__(self, publisher: Venue, delivery: Delivery) -> None:
        self._publisher = publisher
        self._delivery = delivery
        self._log = logging.getLogger("fastrouter.control")

    @property
    def done(self) -> int:
        """All events up to this number are announced."""
        return self._delivery.done

    def recover(self, events: Iterable[Event], last: int) -> int:
        """Announce those that a run before us kept and did not announce; how many they were.

        `events` are those which the store still has, `last` is the number of its newest ever.
        """
        left = list(events)
        if self.done > last:  # an older store was put back: its numbers are given again
            self._delivery.begin(last, self._publisher.last_id)
            self._delivery.end(last)
        self._delivery.skip_to(left[0].number - 1 if left else last)
        missing = [event for event in left if event.number > self.done]
        self.announce(missing)
        return len(missing)

    def announce(self, events: Iterable[Event]) -> None:
        """Publish these, the next in order; what is of one call leaves together.

        One that cannot be published is logged, and is never tried again.
        """
        with self._publisher.batch():
            for event in events:
                self._delivery.begin(event.number, self._publisher.last_id)
                try:
                    self._publish(event)
                finally:
                    self._delivery.end(event.number)

    def _publish(self, event: Event) -> None:
        kind, payload = event.kind, event.payload
        symbol = topic_symbol(kind, payload)
        try:
            # as it is: what a broker says is in the form of the models already
            self._publisher.publish_event(kind, payload, symbol, event.time)
        except Exception as error:
            self._log.error("cannot announce %s: %r", payload, error, exc_info=error)
