"""One file of a data set, as blocks of rows with the instants at which they are known.

A quote is known at its time. A bar is known when it closes: at its time plus its timeframe; an
earlier instant would let a strategy look ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.dtypes import QUOTE_DTYPE, Rows
from ..core.timeframe import parse_timeframe
from ..errors import FeedError
from ..feeds.columns import Column, map_columns
from ..feeds.feed import Volumes
from ..feeds.rows import RowBuilder
from ..feeds.source import BLOCK_BYTES, Batch, Lines, open_source
from ..feeds.times import TimeParser

__all__ = [
    *("AS_IT_SAYS", "EVERYTHING", "BadRow", "Block", "Instants", "Reading", "Span", "Track"),
    *("row_of", "within"),
]

ROW_SIZE = QUOTE_DTYPE.itemsize + 8
"""Bytes, with its instant."""

Instants = npt.NDArray[np.int64]
"""Ns since the epoch, not falling."""

BadRow = Callable[[Path, int, str], object]
"""Told the file, the line (CSV) or row (Parquet) and the reason of each row that is left out."""


def row_of(path: Path, number: int) -> str:
    """What a `BadRow` is told of, for people: the file, and the line or row."""
    return f"{path}: {'row' if path.suffix == '.parquet' else 'line'} {number}"


class Block(NamedTuple):
    """Some rows of one file, in its order, and when each is known.

    `volumes`: what was traded with each quote, where a column tells.
    """

    instants: Instants
    rows: Rows
    volumes: Volumes | None = None

    def part(self, which: slice | npt.NDArray[np.bool_]) -> Block:
        """Some of it."""
        volumes = None if self.volumes is None else self.volumes[which]
        return Block(self.instants[which], self.rows[which], volumes)


class Span(NamedTuple):
    """What of a data set is wanted: instants in [start, end), ns; symbols, None for all."""

    start: int = -(2**63)
    end: int = 2**63 - 1
    symbols: frozenset[bytes] | None = None


EVERYTHING = Span()


class Reading(NamedTuple):
    """How a file is to be read, where it does not say itself. See `feeds.replay.ReplayFeed`."""

    kind: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    time_format: str | None = None
    columns: Mapping[str, Column] | None = None


AS_IT_SAYS = Reading()


#: kind -> what a row is that is known before the one above it, and what to do
BACKWARD = {
    "quotes": "is of an earlier time than the one above it; sort the file by time",
    "bars": "is a bar that ends before the one above it, and a bar counts at its end "
    "(its time plus its timeframe); sort the file by the end of the bars",
}


class Track:
    """A CSV or Parquet file of quotes or bars; it is looked at when the track is made.

    `descriptions` are the files that `reading` is from. Raises FeedError, naming the file, for
    one that is no such thing.
    """

    def __init__(
        self, path: Path, reading: Reading = AS_IT_SAYS, descriptions: tuple[Path, ...] = ()
    ) -> None:
        self.path = path
        self.descriptions = descriptions
        self._reading = reading
        self._source = open_source(path)
        with _naming(path):
            self._mapped = map_columns(
                self._source.names, self._source.width, kind=reading.kind, columns=reading.columns
            )
            self._builder()
        self.kind = self._mapped.kind

    def blocks(
        self,
        span: Span = EVERYTHING,
        on_bad: BadRow = lambda path, number, why: None,
        size: int = BLOCK_BYTES,
    ) -> Iterator[Block]:
        """The file's good rows within the span, from its start, in its order.

        `size`: about how many bytes of it are read at a time.

        Raises FeedError, naming line or row, for one that is known before the one above it: a
        file that is larger than memory cannot be sorted on the way.
        """
        with _naming(self.path):
            builder = self._builder()
            latest = EVERYTHING.start
            for batch in self._source.batches(builder.wanted, size):
                rows, volumes, bad = builder.build(batch)
                for number, why in bad:
                    on_bad(self.path, number, why)
                if not len(rows):
                    continue
                instants = self._known_at(rows)
                self._check_order(instants, latest, batch, {number for number, _ in bad})
                latest = int(instants[-1])
                block = within(Block(instants, rows, volumes), span)
                if len(block.rows):
                    yield block
                if latest >= span.end:
                    return

    @property
    def size(self) -> int:
        """About how many bytes its rows are in memory, at least."""
        total = self._source.total
        return total * ROW_SIZE if self._source.unit == "row" else total

    def _builder(self) -> RowBuilder:
        reading = self._reading
        times = TimeParser(reading.time_format)
        return RowBuilder(self._mapped, times, symbol=reading.symbol, timeframe=reading.timeframe)

    def _known_at(self, rows: Rows) -> Instants:
        if self.kind == "quotes":
            return rows["time"].copy()
        names, codes = np.unique(rows["timeframe"], return_inverse=True)
        lengths = np.array([parse_timeframe(name.decode()) for name in names], np.int64)
        return np.asarray(rows["time"] + lengths[codes], np.int64)

    def _check_order(
        self, instants: Instants, latest: int, batch: Batch | Lines, bad: set[int]
    ) -> None:
        backward = np.flatnonzero(np.diff(instants, prepend=max(latest, -(2**62))) < 0)
        if not len(backward):
            return
        good = [number for number in batch.numbers.tolist() if number not in bad]
        number = good[int(backward[0])]
        raise FeedError(f"{self._source.unit} {number} {BACKWARD[self.kind]}")


def within(block: Block, span: Span) -> Block:
    """What of a block is wanted."""
    if span.start > block.instants[0] or span.end <= block.instants[-1]:
        first, last = np.searchsorted(block.instants, (span.start, span.end))
        block = block.part(slice(first, last))
    if span.symbols is not None:
        wanted = np.array(sorted(span.symbols), block.rows.dtype["symbol"])
        block = block.part(np.isin(block.rows["symbol"], wanted))
    return block


class _naming:
    """Names the file in what goes wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FeedError) and not str(error).startswith(str(self._path)):
            raise FeedError(f"{self._path}: {error}") from None
