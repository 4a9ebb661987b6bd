"""An equity curve as numbers to draw: how it went, and how far below its peak it was."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from fastrouter.engine.equity import Point

__all__ = ["Curve", "curve_of"]

SECOND = 1e9  # ns


class Curve(NamedTuple):
    """Columns of equal length: Unix seconds, money, and the fall from the peak in percent."""

    times: list[float]
    equity: list[float]
    fall: list[float]


def curve_of(points: Sequence[Point]) -> Curve:
    """Of one point or more."""
    equity = [float(point.equity) for point in points]
    peaks = accumulate(equity, max)
    fall = [
        100 * (now - peak) / peak if peak > 0 else 0.0
        for now, peak in zip(equity, peaks, strict=True)
    ]
    return Curve([point.time / SECOND for point in points], equity, fall)
