"""What happened to a symbol within a day."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Day"]


class Day(NamedTuple):
    """A symbol's 24 hours up to its newest quote."""

    #: price at `since`
    open: float
    high: float
    low: float
    #: 1 for each quote that came without a volume
    volume: float
    #: the newest price
    last: float
    #: percent from `open` to `last`; 0 when `open` is 0
    change: float
    #: where they begin, ns since the epoch; never before the symbol's first quote
    since: int
