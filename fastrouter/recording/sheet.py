"""The rows of one file, by when they are known."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from pathlib import Path

from .layout import Layout, Row
from .part import PARTS

__all__ = ["MOST", "SLACK", "Sheet"]

SLACK = 1_000_000_000
"""So much (ns) later than one that is known after it may a row come."""

MOST = 1 << 16
"""Rows that wait to be written."""

EARLIEST = -(2**63)
KNOWN = itemgetter(0)


class Sheet:
    """One file. A run takes rows only in order: what comes too late for that is left out.

    Raises FastrouterError when the disk does not take it, as everything here does.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.rows = 0
        self._part = PARTS[path.suffix](path, layout)
        self._waiting: list[tuple[int, Row]] = []
        self._written = EARLIEST

    def add(self, known: int, row: Row) -> bool:
        """Take a row that is `known` then (ns); False when it is too late."""
        if known < self._written:
            return False
        self._waiting.append((known, row))
        self.rows += 1
        if len(self._waiting) >= MOST:
            self.flush()
            if len(self._waiting) >= MOST // 2:  # all of one second
                self._write(len(self._waiting))
        return True

    def flush(self) -> None:
        """Write what nothing is to come before any more."""
        self._waiting.sort(key=KNOWN)
        if self._waiting:
            horizon = self._waiting[-1][0] - SLACK
            self._write(bisect_right(self._waiting, horizon, key=KNOWN))

    def finish(self) -> None:
        """Write the rest, and make it a file."""
        self._waiting.sort(key=KNOWN)
        self._write(len(self._waiting))
        self._part.finish()

    def close(self) -> None:
        """Leave it as it is; what was not written is lost."""
        self._part.close()

    def _write(self, count: int) -> None:
        if not count:
            return
        self._part.write([row for _, row in self._waiting[:count]])
        self._written = self._waiting[count - 1][0]
        del self._waiting[:count]
