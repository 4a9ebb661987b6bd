"""The newest events in memory, by which a session that comes back goes over to live."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate

from fastrouter.journal.entry import Entry

__all__ = ["ENTRY_BYTES", "Tail"]

ENTRY_BYTES = 256  # what an entry costs besides its body: a tuple, its numbers, its place here
STRETCH = 3  # times max_bytes: what is nowhere else may stay that long
COMPACT = 4096  # entries that have gone before the list is moved up


def _id(entry: Entry) -> int:
    return entry.id


class Tail:
    """Entries in order of id, about `max_bytes` of them.

    It holds every event after the id `after`: who has seen that one finds here
    all that is missing. `last` is the id of the newest, `start` when there was
    none. What is kept elsewhere too, by ids up to `kept_to`, goes first.
    """

    def __init__(self, max_bytes: int, start: int = 0) -> None:
        self.max_bytes = max_bytes
        self.after = start
        self.last = start
        self.kept_to: float = math.inf
        self.bytes = 0
        self._entries: list[Entry] = []
        self._gone = 0  # entries at the front that count no more

    def __len__(self) -> int:
        return len(self._entries) - self._gone

    @property
    def first(self) -> int:
        """The id of the oldest entry, 0 when there is none."""
        return self._entries[self._gone].id if len(self) else 0

    def append(self, entry: Entry) -> None:
        """Add the newest; the oldest make room for it."""
        self._entries.append(entry)
        self.last = entry.id
        self.bytes += ENTRY_BYTES + len(entry.body)
        if self.bytes > self.max_bytes:
            self._make_room()

    def _make_room(self) -> None:
        entries = self._entries
        while self.bytes > self.max_bytes and self._gone < len(entries):
            oldest = entries[self._gone]
            if oldest.id > self.kept_to and self.bytes <= STRETCH * self.max_bytes:
                break
            self.bytes -= ENTRY_BYTES + len(oldest.body)
            self.after = oldest.id
            self._gone += 1
        if self._gone > COMPACT and self._gone * 2 > len(entries):
            del entries[: self._gone]
            self._gone = 0

    def page(self, after: int, size: int) -> list[Entry]:
        """Entries after an id that is not below `after`: about `size` bytes of bodies."""
        entries = self._entries
        first = bisect_right(entries, after, lo=self._gone, key=_id)
        count = min(len(entries) - first, max(1, size // 16))
        ends = list(accumulate(len(entry.body) for entry in entries[first : first + count]))
        return entries[first : first + bisect_right(ends, size) + 1]
