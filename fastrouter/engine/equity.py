"""How equity went, in memory that does not grow with the run."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from ..broker.money import ZERO
from .report import fall

__all__ = ["Equity", "Point"]

MOST = 4096  # points; then every other one is let go


class Point(NamedTuple):
    """From `time` on (ns, simulated) equity was so much, until the next point."""

    time: int
    equity: Decimal


class Equity:
    """Told by rising time. Of many points some are kept, equally many apart.

    `first`, `last`, the `peak` (the first of several that are as high) and `max_drawdown` are
    exact, however many points there were.
    """

    def __init__(self, first: Point) -> None:
        self.first = self.last = self.peak = first
        self.max_drawdown: Decimal = ZERO
        self._lowest = first  # where the largest fall ended
        self._from = first  # the peak it fell from
        self._kept = [first]
        self._step = 1
        self._count = 0  # of points after the first

    def add(self, time: int, equity: Decimal) -> None:
        """Equity at the end of an instant. As much as before is no point of its own."""
        if equity == self.last.equity:
            return
        point = Point(time, equity)
        self.last = point
        if equity > self.peak.equity:
            self.peak = point
        elif (deep := fall(self.peak.equity, equity)) > self.max_drawdown:
            self.max_drawdown = deep
            self._from, self._lowest = self.peak, point
        self._count += 1
        if self._count % self._step == 0:
            self._keep(point)

    def _keep(self, point: Point) -> None:
        self._kept.append(point)
        if len(self._kept) >= MOST:
            del self._kept[1::2]
            self._step *= 2

    def points(self) -> list[Point]:
        """From the first to the last, with both ends of the largest fall and the peak."""
        extremes = (self.peak, self._from, self._lowest, self.last)
        return sorted({*self._kept, *extremes}, key=lambda point: point.time)
