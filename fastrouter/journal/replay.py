"""One session being brought up to date, from the id it saw last to what happens now.

::

    READY     the pump will call step()
    READING   the page that comes next is being read from the store
    SENDING   the socket has not taken all of the last step; drained() will be called
    OVER      the session is live, or gone

While it lasts the outbox holds live events back. The last step takes what is
left from the tail in memory and goes live in one piece, so that no event can
come between: there is no gap and no duplicate.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastrouter.core.outbox import Outbox
    from fastrouter.journal.journal import Journal
    from fastrouter.journal.pages import Page

__all__ = ["Replay", "State"]

STEP_COST = 1 << 10  # bytes a step counts for at least: turns are not free


class State(Enum):
    READY = "ready"
    READING = "reading"
    SENDING = "sending"
    OVER = "over"


class Replay:
    """Made by `Journal.replay`. Its owner calls `drained` and, when the session ends, `cancel`.

    `gap(text)` is called when events may be missing, before those that follow them,
    `failed()` when a step raised: the session is held still, and has to be closed.
    """

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        since: int,
        gap: Callable[[str], None],
        failed: Callable[[], None],
        told: int = 0,
    ) -> None:
        self.position = since
        self.state = State.READY
        self._journal = journal
        self._outbox = outbox
        self._gap = gap
        self._failed = failed
        self._page: Page | None = None  # that was read for us
        self._told = told  # the gap that was announced last ends at this id

    def drained(self) -> None:
        """The outbox has nothing more to send."""
        if self.state is State.SENDING:
            self._again()

    def cancel(self) -> None:
        """The session ends."""
        self.state = State.OVER
        self._journal.pump.discard(self)

    def fail(self, error: Exception) -> None:
        """A step raised this: it is over, without having gone live."""
        self.cancel()
        self._journal.replay_failed(error)
        self._failed()

    def step(self) -> int:
        """Bring the session some events further; the bytes that were looked at."""
        if self.state is State.OVER:
            return 0
        self._announce(self._journal.missing_after(self.position))
        page = self._page or self._journal.page(self.position)
        if page is not None:
            self._page = None
            return self._send(page)
        if self.position >= self._journal.tail.last:
            self._go_live()
        else:
            self.state = State.READING
            self._journal.pages.fetch(self.position, self._read)
        return STEP_COST

    def _send(self, page: Page) -> int:
        start = self.position
        records, self.position, size = page.part(start, self._journal.pump.step_bytes)
        appended = self._outbox.replay(records)
        if self.position >= self._journal.tail.last:
            self._go_live()
        elif appended:
            self.state = State.SENDING
        else:
            self._again()
        return size + STEP_COST

    def _read(self, page: Page | None) -> None:
        if self.state is State.OVER:
            return
        if page is None:  # the store failed
            end = self._journal.tail.after
            self._announce(end)
            self.position = max(self.position, end)
        elif page.records:
            self._page = page
        else:
            self.position = max(self.position, page.last)
        self._again()

    def _again(self) -> None:
        self.state = State.READY
        self._journal.pump.ready(self)

    def _announce(self, end: int) -> None:
        if end > self._told:
            self._told = end
            self._gap(self._journal.describe_gap(self.position, end))

    def _go_live(self) -> None:
        self.cancel()
        self._outbox.go_live()
