"""Where the rows of a file begin and end in time."""

from __future__ import annotations

from ..core.dtypes import Rows
from ..core.timeframe import parse_timeframe

__all__ = ["Extent"]

MS = 1_000_000


class Extent:
    """Measures rows. Times are ns since the epoch."""

    def __init__(self) -> None:
        self.rows = 0
        self.first = self.last = 0
        self._length = 0

    def add(self, rows: Rows) -> None:
        if not len(rows):
            return
        times = rows["time"]
        low, high = int(times.min()), int(times.max())
        if not self.rows:
            self.first, self.last = low, high
        self.first, self.last = min(self.first, low), max(self.last, high)
        self.rows += len(rows)
        if "timeframe" in (rows.dtype.names or ()):
            self._length = parse_timeframe(rows["timeframe"][-1].decode())

    @property
    def period(self) -> int:
        """How much later (ns) the same rows can follow: a bar's length, or the usual gap, on."""
        gap = (self.last - self.first) // max(1, self.rows - 1)
        return self.last - self.first + (self._length or max(MS, gap))
