"""A data set: one file or several, and what they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import FeedError
from .merge import Instant, Stretch, instants, stretches
from .track import EVERYTHING, BadRow, Span, Track

__all__ = ["IGNORED", "Dataset", "Description"]

IGNORED: BadRow = lambda path, number, why: None  # noqa: E731


ALL_BLOCKS, MOST, LEAST = 1 << 24, 1 << 19, 1 << 14  # bytes of all files, and of each


class Description(NamedTuple):
    """What a data set holds; instants are ns since the epoch, 0 when there are no rows."""

    name: str
    kinds: tuple[str, ...]
    symbols: tuple[str, ...]
    first: int
    last: int
    rows: int
    bad_rows: int


class Dataset:
    """Files whose rows are one stream. The order of the files breaks ties."""

    def __init__(self, name: str, tracks: Sequence[Track]) -> None:
        if not tracks:
            raise FeedError(f"data set {name!r} has no files")
        self.name = name
        self.tracks = tuple(tracks)

    def instants(self, span: Span = EVERYTHING, on_bad: BadRow = IGNORED) -> Iterator[Instant]:
        """The stream within the span, from its start; memory holds a block of each file.

        Raises FeedError, naming file and row, for a file that is not in order.
        """
        return instants(track.blocks(span, on_bad, self._size) for track in self.tracks)

    def stretches(
        self, span: Span = EVERYTHING, on_bad: BadRow = IGNORED, candles: Collection[str] = ()
    ) -> Iterator[Stretch]:
        """The same stream, several instants at a time.

        `candles`: the timeframes that would be built of quotes. The first stretch, without
        rows, says of which symbols they are in the data already.
        """
        if candles and {"quotes", "bars"} <= {track.kind for track in self.tracks}:
            nothing = np.empty(0, np.int64)
            yield Stretch(nothing, None, (), bars=self._bars(span, candles))
        yield from stretches(track.blocks(span, on_bad, self._size) for track in self.tracks)

    def _bars(self, span: Span, timeframes: Collection[str]) -> frozenset[tuple[bytes, bytes]]:
        """Symbols and timeframes of the bars within the span; looks at every bar."""
        names = [name.encode() for name in timeframes]
        found: set[tuple[bytes, bytes]] = set()
        for track in self.tracks:
            for block in track.blocks(span) if track.kind == "bars" else ():
                texts = block.rows["symbol"].tolist(), block.rows["timeframe"].tolist()
                found.update(zip(*texts, strict=True))
        return frozenset(pair for pair in found if pair[1] in names)

    def describe(self) -> Description:
        """Look at every row. Raises FeedError."""
        symbols: set[bytes] = set()
        first, last, rows = [], [], 0
        bad: list[int] = []
        for track in self.tracks:
            for block in track.blocks(on_bad=lambda path, number, why: bad.append(number)):
                symbols.update(np.unique(block.rows["symbol"]).tolist())
                first.append(int(block.instants[0]))
                last.append(int(block.instants[-1]))
                rows += len(block.rows)
        return Description(
            self.name,
            tuple(sorted({track.kind for track in self.tracks})),
            tuple(sorted(symbol.decode() for symbol in symbols)),
            min(first, default=0),
            max(last, default=0),
            rows,
            len(bad),
        )

    @property
    def _size(self) -> int:
        """How much of each file is read at a time (bytes)."""
        return max(LEAST, min(ALL_BLOCKS // len(self.tracks), MOST))

    @property
    def versions(self) -> tuple[tuple[Path, int, int], ...]:
        """Of each file its path, when it was changed (ns), and its size: other ones, other rows.

        What says how a file is read is one of them.
        """
        described = (path for track in self.tracks for path in track.descriptions)
        status = [(path, path.stat()) for path in dict.fromkeys((*self.files, *described))]
        return tuple((path, found.st_mtime_ns, found.st_size) for path, found in status)

    @property
    def size(self) -> int:
        """About how many bytes its rows are in memory, at least."""
        return sum(track.size for track in self.tracks)

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(track.path for track in self.tracks)
