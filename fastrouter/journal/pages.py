"""Pages: runs of records, read and decoded once for all who are replayed."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import attrgetter

from fastrouter.core.record import Record
from fastrouter.journal.entry import Entry, record_of

__all__ = ["PAGE_BYTES", "Page", "Pages"]

PAGE_BYTES = 1 << 16  # of bodies; a millisecond to decode
KEPT = 32  # pages


class Page:
    """All records after the id `after`, up to and with the id `last`."""

    def __init__(self, after: int, last: int, entries: Sequence[Entry]) -> None:
        self.after = after
        self.last = last
        self.records = [record_of(entry) for entry in entries]
        self._ids = [entry.id for entry in entries]
        self._ends = list(accumulate(len(entry.body) for entry in entries))

    def holds(self, position: int) -> bool:
        """Does what follows `position` begin here?"""
        return self.after <= position < self.last

    def part(self, position: int, size: int) -> tuple[list[Record], int, int]:
        """Records after `position`, the position behind them, and the bytes of their bodies.

        About `size` bytes, at least one record.
        """
        first = bisect_right(self._ids, position)
        before = self._ends[first - 1] if first else 0
        end = min(bisect_right(self._ends, before + size) + 1, len(self._ids))
        last = self.last if end == len(self._ids) else self._ids[end - 1]
        return self.records[first:end], last, self._ends[end - 1] - before


Done = Callable[[Sequence[Entry] | None], None]


class Pages:
    """The pages last used. Belongs to the event loop's thread.

    `read(after, done)` has the store's page after an id read, in a thread, and
    calls ``done(entries)`` on the event loop, ``done(None)`` when it failed;
    one read at a time. Whoever waits longest decides what is read; all whom it
    serves are called. `stored()` is an id up to which the store has all there is.
    """

    def __init__(self, read: Callable[[int, Done], None], stored: Callable[[], int]) -> None:
        self._read = read
        self._stored = stored
        self._pages: OrderedDict[int, Page] = OrderedDict()
        self._waiting: deque[tuple[int, Callable[[Page | None], None]]] = deque()
        self._reading = False
        self.reads = 0

    def get(self, position: int) -> Page | None:
        """The page that holds what follows `position`, if one is at hand."""
        for page in reversed(self._pages.values()):
            if page.holds(position):
                self._pages.move_to_end(page.after)
                return page
        return None

    def put(self, page: Page) -> Page:
        """Keep a page; the one that was used longest ago goes."""
        self._pages[page.after] = page
        self._pages.move_to_end(page.after)
        if len(self._pages) > KEPT:
            self._pages.popitem(last=False)
        return page

    def fetch(self, position: int, ready: Callable[[Page | None], None]) -> None:
        """Have the store's page after `position` read, then call `ready` with it.

        A page without records says that the store has nothing up to its `last`;
        None, that it could not be read.
        """
        self._waiting.append((position, ready))
        self._go_on()

    def _go_on(self) -> None:
        if self._reading or not self._waiting:
            return
        self._reading = True
        self.reads += 1
        after = self._waiting[0][0]
        stored = max(after, self._stored())
        self._read(after, lambda entries: self._have(after, stored, entries))

    def _have(self, after: int, stored: int, entries: Sequence[Entry] | None) -> None:
        self._reading = False
        page = None
        if entries is not None:
            # the store may have holes behind `stored`, where only the tail has all there is
            whole = entries[: bisect_right(entries, stored, key=attrgetter("id"))]
            page = Page(after, entries[-1].id if len(whole) == len(entries) > 0 else stored, whole)
        if page is not None and page.records:
            self.put(page)
        waiting, self._waiting = self._waiting, deque()
        for position, ready in waiting:
            if position == after or (page is not None and page.holds(position)):
                ready(page)
            else:
                self._waiting.append((position, ready))
        self._go_on()
