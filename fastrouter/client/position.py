"""Where in a server's stream of events a client stands.

Ids rise within one numbering. A server with a journal goes on with its
numbering over a restart; one without begins again, and says RESUME_GAP when it
is asked for an id that it has not reached.

Whatever id was seen last, a server has sent every lossless event up to it
before: the highest is what to resume after. Quotes may come later than events
with higher ids (conflation), so the order of ids says nothing of a quote.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from fastrouter.client.address import number_of
from fastrouter.client.inbox import AnyEvent
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import KINDS
from fastrouter.errors import ConnectionFailed

__all__ = ["RESUME_GAP", "Position"]

RESUME_GAP = "RESUME_GAP"
NOWHERE = -1  # before any id: 0 is the position before the first event


class Position:
    """Starts at ``since``, the number of an event, or nowhere when that is None."""

    def __init__(self, since: int | None = None) -> None:
        self._highest = NOWHERE if since is None else since
        self._lossless = self._highest
        self._begins_anew = False  # the next id is of another numbering
        self._goes_on = True  # this session's numbering is known to be the one before
        self._guards = False  # this session resumed: lossless ids rise

    @property
    def since(self) -> int | None:
        """The id to resume after; None when nothing is known yet."""
        return None if self._highest == NOWHERE else self._highest

    def open(self) -> None:
        """A session opens that was asked to resume from here."""
        self._guards = self._highest != NOWHERE
        self._goes_on = not self._guards

    def admit(self, event: AnyEvent) -> bool:
        """Move to an event that arrived; False when it is lossless and came before."""
        number = event.id
        if not number:
            self._heed(event)
            return True
        if number > self._highest or self._begins_anew:
            self._highest = number
            self._begins_anew = False
            self._goes_on = True
        elif not self._goes_on and _is_live(event):
            self._start_over(number)
        return not _is_lossless(event) or self._rises(number)

    def advance(self, events: Iterable[AnyEvent]) -> None:
        """Move over events that were admitted already."""
        for event in events:
            number = event.id
            if number > self._highest or (number and self._begins_anew):
                self._highest = number
                self._begins_anew = False
            elif not number:
                self._heed(event)

    def _heed(self, event: AnyEvent) -> None:
        """What the server says of ids in events that have none."""
        if not isinstance(event, Event) or not isinstance(event.payload, dict):
            return
        said = event.payload
        if event.kind == "error" and said.get("code") == RESUME_GAP:
            self._begin_anew()
        elif event.kind == "connection" and self._highest == NOWHERE and "last_id" in said:
            with suppress(ConnectionFailed):
                self._highest = number_of(said["last_id"])

    def _begin_anew(self) -> None:
        """The server said RESUME_GAP: the next id it sends is right, whatever it is."""
        self._begins_anew = True
        self._goes_on = True
        self._lossless = NOWHERE

    def _start_over(self, number: int) -> None:
        """Ids began again without a RESUME_GAP: a server that knows nothing of resuming.

        Whatever it sends is new; to compare its ids with the old ones would swallow it.
        """
        self._highest = number
        self._goes_on = True
        self._guards = False

    def _rises(self, number: int) -> bool:
        if self._guards and number <= self._lossless:
            return False
        self._lossless = number
        return True


def _is_lossless(event: AnyEvent) -> bool:
    if isinstance(event, Quote):
        return False
    if isinstance(event, Candle):
        return event.closed and not event.snapshot
    return event.kind in KINDS


def _is_live(event: AnyEvent) -> bool:
    """Whether it is new, or replayed: no snapshot, and nothing that could be one undecoded."""
    return event.kind in KINDS if isinstance(event, Event) else not event.snapshot
