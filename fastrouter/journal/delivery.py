"""Which events of a store are published, so that each of them is published once.

The store numbers its events, 1, 2, 3 …; they are published in that order. What is published is
in the spool before anybody is sent it, but the spool cannot take an event and note its number
by one store to memory. So three are made, in this order, and a run that is killed between any two
leaves one of these behind::

    begin        intent = the router's last id, and whether the number is odd
    (publish)    the spool has an event whose id is that last id + 1
    end          done = the number

The event under way is `done` + 1. An intent that is of another parity is that of the event
before: it had not begun. Otherwise it was published if the event with the next id exists.
"""

from __future__ import annotations

from collections.abc import Callable

from fastrouter.journal.spool import Spool

__all__ = ["Delivery"]


class Delivery:
    """What is published of the store with that name (16 bytes). Without a spool, of this run.

    `has(id)` tells whether the router of an earlier run published a lossless event with that id.
    """

    def __init__(self, store: bytes, spool: Spool | None, has: Callable[[int], bool]) -> None:
        self._spool = spool
        #: all events up to this number are published
        self.done = 0
        if spool is None:
            return
        if spool.store != store:
            spool.store = store
        self.done = spool.done
        if self._was_published(spool.intent, has):
            self.end(self.done + 1)

    def _was_published(self, intent: int, has: Callable[[int], bool]) -> bool:
        """Was the event after `done`?"""
        before, parity = divmod(intent, 2)
        return parity == (self.done + 1) % 2 and has(before + 1)

    def skip_to(self, number: int) -> None:
        """All events up to this one are published, as the store knows: it has let go of them."""
        if number > self.done:
            if self._spool is not None:
                self._spool.intent = number % 2  # that of none that comes
            self.end(number)

    def begin(self, number: int, last_id: int) -> None:
        """The event `done` + 1 is published next; `last_id` is the router's."""
        if self._spool is not None:
            self._spool.intent = last_id * 2 + number % 2

    def end(self, number: int) -> None:
        """It is published, or never will be."""
        self.done = number
        if self._spool is not None:
            self._spool.done = number
