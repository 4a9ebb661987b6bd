"""The replay feed: a CSV or Parquet file of quotes or bars, at its own pace or any other."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path

import numpy as np

from ..core.dtypes import Rows
from ..errors import FeedError
from .columns import Column, map_columns
from .extent import Extent
from .feed import Publisher, Volumes
from .pace import Clock, Pace, Sleep
from .progress import Progress
from .rows import BadRow, RowBuilder
from .source import open_source
from .times import TimeParser

__all__ = ["ReplayFeed"]

log = logging.getLogger(__name__)

MS = 1_000_000
EARLIEST = -(2**63)
LATEST = 2**63 - 1 - 86400 * 10**9
REPORTS = 20
"""Bad rows that are logged one by one."""


class ReplayFeed:
    """Publishes what a file holds; the file is looked at when the feed is built.

    :param path: CSV (gzipped or not) or Parquet; its content tells which, but a name that ends
        with ``.parquet`` is of Parquet alone.
    :param kind: ``quotes`` or ``bars``; None: by its columns.
    :param columns: field -> column name, or position from 0; None for "leave it out".
        Fields it is silent about are found by their usual names. See `columns.ALIASES`.
    :param symbol: the symbol of every row; None: by a column.
    :param timeframe: the timeframe of every bar; None: by a column, else by their distance.
    :param time_format: see `times.TIME_FORMATS`; None: by the first time.
    :param header: whether the first line of a CSV is one; None: if it holds no number.
    :param delimiter: None: the one of ``, ; tab |`` that the first line has most of.
    :param speed: how many times the original pace; None for as fast as the router drains.
    :param loop: begin again at the end, with times that keep rising.
    :param strict: FeedError at the first bad row, instead of leaving it out.
    :param block: most rows published between two waits for the router to drain.
    :param progress: told how far the file is read.
    :param on_bad_row: called with number and reason of each; None: the first are logged.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        kind: str | None = None,
        columns: Mapping[str, Column] | None = None,
        symbol: str | None = None,
        timeframe: str | None = None,
        time_format: str | None = None,
        header: bool | None = None,
        delimiter: str | None = None,
        speed: float | None = 1.0,
        loop: bool = False,
        strict: bool = False,
        block: int = 64,
        progress: Progress | None = None,
        on_bad_row: Callable[[int, str], object] | None = None,
        clock: Clock = time.time_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if block < 1:
            raise FeedError(f"block must be at least 1, not {block}")
        self.on_state: Callable[[bool], None] | None = None
        self.on_gap: Callable[[str], None] | None = None
        self.published = 0
        self.bad_rows = 0
        self.passes = 0
        """How often the file was played to its end."""
        self._path = Path(path)
        self._source = open_source(self._path, delimiter=delimiter, header=header)
        try:
            mapped = map_columns(self._source.names, self._source.width, kind=kind, columns=columns)
            times = TimeParser(time_format)
            self._builder = RowBuilder(mapped, times, symbol=symbol, timeframe=timeframe)
        except FeedError as error:
            raise FeedError(f"{self._path}: {error}") from None
        self.kind = mapped.kind
        self._symbol = symbol
        self._speed = speed
        self._loop = loop
        self._strict = strict
        self._block = block
        self._progress = progress
        self._on_bad_row = on_bad_row or self._log_bad_row
        self._pace = None if speed is None else Pace(speed, clock=clock, sleep=sleep)
        self._extent = Extent()
        self._latest = EARLIEST

    def describe(self) -> str:
        whose = f" of {self._symbol}" if self._symbol else ""
        pace = "as fast as possible" if self._speed is None else f"{self._speed:g}x"
        again = ", looping" if self._loop else ""
        return f"replay of {self._path}: {self.kind}{whose}, {pace}{again}"

    async def run(self, router: Publisher) -> None:
        """Publish the file once, or for ever with ``loop``.

        Raises FeedError when the file cannot be read to its end or holds no usable row.
        """
        shift = 0
        self._latest = EARLIEST
        while True:
            await self._play(router, shift)
            self.passes += 1
            if not self._loop:
                break
            shift += self._extent.period
            if self._extent.last + shift > LATEST:
                raise FeedError(f"{self._path}: after {self.passes:,} passes its times overflow")

    async def _play(self, router: Publisher, shift: int) -> None:
        """One pass over the file, its times moved by ``shift`` (ns)."""
        try:
            for rows, volumes in self._batches():
                if not len(rows):
                    await router.drained()
                    continue
                if self._pace and self._latest == EARLIEST:
                    self._pace.start(int(rows["time"][0]))
                if shift:
                    rows["time"] += shift
                await self._emit(router, rows, volumes)
        finally:
            if self._progress:
                self._progress.end()

    async def _emit(self, router: Publisher, rows: Rows, volumes: Volumes | None) -> None:
        """Publish rows when they are due; what is within the same millisecond goes together."""
        times = np.maximum.accumulate(np.maximum(rows["time"], self._latest))
        self._latest = int(times[-1])
        at = 0
        while at < len(rows):
            end = len(rows)
            if self._pace:
                now = int(times[at])
                await self._idle(router, now)
                reached = max(await self._pace.wait(now), now // MS * MS + MS - 1)
                end = int(np.searchsorted(times, reached, "right"))
            for start in range(at, end, self._block):
                part = slice(start, min(start + self._block, end))
                router.close_candles(int(times[start]))
                router.publish_batch(rows[part], volumes=None if volumes is None else volumes[part])
                self.published += len(rows[part])
                await router.drained()
            at = end

    async def _idle(self, router: Publisher, until: int) -> None:
        """Until the next row is due, candles close when it is their time."""
        while self._pace and router.next_close is not None and router.next_close < until:
            now = await self._pace.wait(router.next_close)
            router.close_candles(min(now, until))
            await router.drained()

    def _batches(self) -> Iterator[tuple[Rows, Volumes | None]]:
        """The good rows of one pass and their volumes, batch by batch, at times none.

        The first pass also counts, reports and measures.
        """
        first_pass = not self.passes
        first_bad: BadRow | None = None
        usable = False
        if self._progress:
            self._progress.begin(self._path.name, self._source.total)
        for batch in self._source.batches(self._builder.wanted):
            try:
                rows, volumes, bad = self._builder.build(batch)
            except FeedError as error:
                raise FeedError(f"{self._path}: {error}") from None
            if first_pass:
                first_bad = first_bad or (bad[0] if bad else None)
                self._report(bad)
                self._extent.add(rows)
            usable = usable or len(rows) > 0
            yield rows, volumes
            if self._progress:
                self._progress.move(batch.position)
        if not usable:
            why = f"; {self._where(*first_bad)}" if first_bad else ""
            raise FeedError(f"{self._path}: no usable row{why}")
        if first_pass and self.bad_rows > REPORTS and self._on_bad_row == self._log_bad_row:
            log.warning("%s: %d bad rows in all", self._path, self.bad_rows)

    def _report(self, bad: list[BadRow]) -> None:
        for number, why in bad:
            if self._strict:
                raise FeedError(f"{self._path}: {self._where(number, why)}")
            self.bad_rows += 1
            self._on_bad_row(number, why)

    def _log_bad_row(self, number: int, why: str) -> None:
        if self.bad_rows <= REPORTS:
            log.warning("%s: %s", self._path, self._where(number, why))

    def _where(self, number: int, why: str) -> str:
        return f"{self._source.unit} {number}: {why}"
