"""Several files as one stream: by instant, then by the order of the files, then by row.

Only a block of each file is in memory, and at an instant that spans blocks as many as it spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.dtypes import Rows
from .track import Block, Instants

__all__ = ["Instant", "Stretch", "instants", "stretches"]


class Instant(NamedTuple):
    """All that becomes known at one time (ns): arrays of QUOTE_DTYPE or CANDLE_DTYPE, in order."""

    time: int
    pieces: tuple[Rows, ...]

    @property
    def events(self) -> int:
        """How many rows."""
        return sum(map(len, self.pieces))


class Stretch(NamedTuple):
    """Some whole instants: of each row, in order, when it is known and whose it is.

    Row i is the next that was not taken yet of ``parts[whose[i]]``; with one part `whose` is None.
    """

    times: Instants
    whose: npt.NDArray[np.int64] | None
    parts: tuple[Rows, ...]


def instants(tracks: Iterable[Iterable[Block]]) -> Iterator[Instant]:
    """The instants of several tracks; each track's own are not falling."""
    for stretch in stretches(tracks):
        yield from _instants(stretch)


def stretches(tracks: Iterable[Iterable[Block]]) -> Iterator[Stretch]:
    """The stream of several tracks in portions about as long as a block."""
    heads = [head for blocks in tracks if (head := _Head(iter(blocks))).read()]
    while heads:
        # what is before the last instant that every file has reached is complete
        unread = [int(head.instants[-1]) for head in heads if not head.ended]
        horizon = min(unread, default=None)
        parts = [head.take(horizon) for head in heads]
        if any(len(part.rows) for part in parts):
            yield _merged(parts)
        else:
            for head in heads:  # one instant, and it goes on in the next block
                if not head.ended and int(head.instants[-1]) == horizon:
                    head.read()
        heads = [head for head in heads if len(head.instants) or head.read()]


class _Head:
    """Where one file stands: the block that is begun, and whether there are more."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self.instants: Instants = np.empty(0, np.int64)
        self.rows: Rows | None = None
        self.ended = False

    def read(self) -> bool:
        """Put the next block behind what is left; False when nothing is left at all."""
        block = next(self._blocks, None)
        if block is None:
            self.ended = True
        elif self.rows is None or not len(self.rows):
            self.instants, self.rows = block
        else:
            self.instants = np.concatenate((self.instants, block.instants))
            self.rows = np.concatenate((self.rows, block.rows))
        return len(self.instants) > 0

    def take(self, horizon: int | None) -> Block:
        """Cut off what is before the horizon; None: all of it."""
        assert self.rows is not None
        count = len(self.rows) if horizon is None else int(self.instants.searchsorted(horizon))
        part = Block(self.instants[:count], self.rows[:count])
        self.instants, self.rows = self.instants[count:], self.rows[count:]
        return part


def _merged(parts: list[Block]) -> Stretch:
    parts = [part for part in parts if len(part.rows)]
    if len(parts) == 1:
        return Stretch(parts[0].instants, None, (parts[0].rows,))
    times = np.concatenate([part.instants for part in parts])
    whose = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
    order = np.argsort(times, kind="stable")
    return Stretch(times[order], whose[order], tuple(part.rows for part in parts))


def _instants(stretch: Stretch) -> Iterator[Instant]:
    times, whose, parts = stretch
    if whose is None:
        for first, last in _runs(times):
            yield Instant(int(times[first]), (parts[0][first:last],))
        return
    taken = [0] * len(parts)
    for first, last in _runs(times):
        pieces = []
        for start, stop in _runs(whose[first:last]):
            part = int(whose[first + start])
            pieces.append(parts[part][taken[part] : taken[part] + stop - start])
            taken[part] += stop - start
        yield Instant(int(times[first]), tuple(pieces))


def _runs(values: npt.NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Where runs of equal values begin and end."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    return pairwise([0, *edges.tolist(), len(values)])
