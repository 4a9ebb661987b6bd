"""Several files as one stream: by instant, then by the order of the files, then by row.

Only a block of each file is in memory, and at an instant that spans blocks as many as it spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.dtypes import QUOTE_DTYPE, Rows
from ..feeds.feed import Volumes
from .track import Block, Instants

__all__ = ["PORTION", "Instant", "Stretch", "instants", "stretches"]

PORTION = 1 << 16
"""Rows of a stretch of several files."""


NOTHING = Block(np.empty(0, np.int64), np.empty(0, QUOTE_DTYPE))


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

    Row i is the next that was not taken yet of ``parts[whose[i]]``; where `whose` is None the
    parts are taken one after the other. `volumes`: of each part what was traded with its quotes,
    where a column tells; empty when none does. `bars`: symbols and timeframes of which bars come
    from here on, so that none are to be built of quotes.
    """

    times: Instants
    whose: npt.NDArray[np.int64] | None
    parts: tuple[Rows, ...]
    volumes: tuple[Volumes | None, ...] = ()
    bars: frozenset[tuple[bytes, bytes]] = frozenset()

    @property
    def size(self) -> int:
        """In memory (bytes)."""
        arrays = (self.times, self.whose, *self.parts, *self.volumes)
        return sum(array.nbytes for array in arrays if array is not None)


def instants(tracks: Iterable[Iterable[Block]]) -> Iterator[Instant]:
    """The instants of several tracks; each track's own are not falling."""
    for stretch in stretches(tracks):
        yield from _instants(stretch)


def stretches(tracks: Iterable[Iterable[Block]]) -> Iterator[Stretch]:
    """The stream of several tracks in portions about as long as a block."""
    streams = [iter(blocks) for blocks in tracks]
    return _one(streams[0]) if len(streams) == 1 else _several(streams)


def _one(blocks: Iterator[Block]) -> Iterator[Stretch]:
    """A track's own portions: its blocks, each but for its last instant, which may go on."""
    left: Block | None = None
    for block in blocks:
        if not len(block.rows):
            continue
        cut = int(block.instants.searchsorted(block.instants[-1]))
        if cut:
            whole = block.part(slice(None, cut))
            yield _row([whole] if left is None else [left, whole])
            left = block.part(slice(cut, None))
        elif left is not None and left.instants[0] != block.instants[0]:
            yield _row([left])
            left = block
        else:
            left = block if left is None else _joined(left, block)
    if left is not None:
        yield _row([left])


def _several(streams: list[Iterator[Block]]) -> Iterator[Stretch]:
    heads = [head for blocks in streams if (head := _Head(blocks)).read()]
    while heads:
        for head in heads:  # else each portion would be as short as what the shortest has left
            if head.short:
                head.read()
        # what is before the last instant that every file has reached is complete
        unread = [int(head.block.instants[-1]) for head in heads if not head.ended]
        horizon = min(unread, default=None)
        parts = [head.take(horizon) for head in heads]
        if any(len(part.rows) for part in parts):
            yield from _portions(_merged(parts))
        else:
            for head in heads:  # one instant, and it goes on in the next block
                if not head.ended and int(head.block.instants[-1]) == horizon:
                    head.read()
        heads = [head for head in heads if len(head.block.rows) or head.read()]


class _Head:
    """Where one file stands: the block that is begun, and whether there are more."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._usual = 0  # rows of a block
        self.block = NOTHING
        self.ended = False

    def read(self) -> bool:
        """Put the next block behind what is left; False when nothing is left at all."""
        block = next(self._blocks, None)
        if block is None:
            self.ended = True
        else:
            self._usual = len(block.rows)
            self.block = _joined(self.block, block) if len(self.block.rows) else block
        return len(self.block.rows) > 0

    @property
    def short(self) -> bool:
        """Is less than half a block left, and is there more?"""
        return not self.ended and 2 * len(self.block.rows) < self._usual

    def take(self, horizon: int | None) -> Block:
        """Cut off what is before the horizon; None: all of it."""
        rows = self.block.rows
        count = len(rows) if horizon is None else int(self.block.instants.searchsorted(horizon))
        part, self.block = self.block.part(slice(None, count)), self.block.part(slice(count, None))
        return part


def _joined(first: Block, second: Block) -> Block:
    volumes = None
    if first.volumes is not None and second.volumes is not None:
        volumes = np.concatenate((first.volumes, second.volumes))
    return Block(
        np.concatenate((first.instants, second.instants)),
        np.concatenate((first.rows, second.rows)),
        volumes,
    )


def _row(parts: list[Block]) -> Stretch:
    """One part after the other."""
    times = [part.instants for part in parts]
    return Stretch(
        times[0] if len(times) == 1 else np.concatenate(times),
        None,
        tuple(part.rows for part in parts),
        _volumes(parts),
    )


def _volumes(parts: list[Block]) -> tuple[Volumes | None, ...]:
    found = tuple(part.volumes for part in parts)
    return () if all(volumes is None for volumes in found) else found


def _merged(parts: list[Block]) -> Stretch:
    parts = [part for part in parts if len(part.rows)]
    if len(parts) == 1:
        return _row(parts)
    times = np.concatenate([part.instants for part in parts])
    whose = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
    order = np.argsort(times, kind="stable")
    rows = tuple(part.rows for part in parts)
    return Stretch(times[order], whose[order], rows, _volumes(parts))


def _portions(stretch: Stretch) -> Iterator[Stretch]:
    """The same in stretches of not much more than `PORTION` rows: who reads ahead holds several."""
    times, whose, parts = stretch.times, stretch.whose, stretch.parts
    if whose is None or len(times) <= PORTION:
        yield stretch
        return
    taken, start = np.zeros(len(parts), np.int64), 0
    while start < len(times):
        last = min(start + PORTION, len(times)) - 1
        stop = int(times.searchsorted(times[last], "right"))
        ends = taken + np.bincount(whose[start:stop], minlength=len(parts))
        cuts = [slice(*ends) for ends in zip(taken.tolist(), ends.tolist(), strict=True)]
        yield Stretch(
            times[start:stop],
            whose[start:stop],
            tuple(part[cut] for part, cut in zip(parts, cuts, strict=True)),
            tuple(
                None if some is None else some[cut]
                for some, cut in zip(stretch.volumes, cuts, strict=False)
            ),
        )
        taken, start = ends, stop


def _instants(stretch: Stretch) -> Iterator[Instant]:
    times, parts = stretch.times, stretch.parts
    whose = stretch.whose
    if whose is None:
        whose = np.repeat(np.arange(len(parts)), [len(rows) for rows in parts])
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
