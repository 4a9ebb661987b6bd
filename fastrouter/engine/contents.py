"""What a data set holds, as far as its first rows and its extent tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .dataset import IGNORED, Dataset
from .track import EVERYTHING, BadRow, Span

__all__ = ["Contents", "extent", "look"]


QUICK = 32 << 20  # bytes


class Contents(NamedTuple):
    """Kinds, symbols and timeframes, each in the order of the files."""

    kinds: tuple[str, ...]
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]


def look(dataset: Dataset, span: Span, on_bad: BadRow = IGNORED) -> Contents:
    """The contents by the first block of each file with a row in the span. Raises FeedError.

    Without any symbol there is no row in the span at all.
    """
    symbols: dict[str, None] = {}
    timeframes: dict[str, None] = {}
    for track in dataset.tracks:
        block = next(track.blocks(span, on_bad), None)
        if block is None:
            continue
        symbols.update(dict.fromkeys(_texts(block.rows["symbol"])))
        if track.kind != "quotes":
            timeframes.update(dict.fromkeys(_texts(block.rows["timeframe"])))
    kinds = dict.fromkeys(track.kind for track in dataset.tracks)
    return Contents(tuple(kinds), tuple(symbols), tuple(timeframes))


def extent(dataset: Dataset, span: Span) -> tuple[int, int] | None:
    """The first and the last instant within the span, ns; 0, 0 of no rows.

    None when that is not known, and to read it all would take long. Raises FeedError.
    """
    if sum(path.stat().st_size for path in dataset.files) > QUICK:
        whole = span.start != EVERYTHING.start and span.end != EVERYTHING.end
        return (span.start, span.end) if whole else None
    ends = [
        (int(block.instants[0]), int(block.instants[-1]))
        for track in dataset.tracks
        for block in track.blocks(span)
    ]
    return (min(ends)[0], max(last for _, last in ends)) if ends else (0, 0)


def _texts(column: np.ndarray) -> list[str]:
    return [name.decode() for name in np.unique(column).tolist()]
