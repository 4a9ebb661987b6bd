"""Parquet by pyarrow, in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FeedError
from .arrow import arrow
from .source import BLOCK_BYTES, Batch

__all__ = ["ParquetSource"]

ROW_BYTES = 32
"""About how much of a file a row is."""

TOGETHER = 1 << 16
"""Rows of small row groups that are read together."""


class ParquetSource:
    """One Parquet file."""

    unit = "row"

    def __init__(self, path: Path) -> None:
        pa, pq = arrow(), arrow("parquet")
        self._path = path
        try:
            with pq.ParquetFile(path) as file:
                self._names: list[str] = file.schema_arrow.names
                self.total = file.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise FeedError(f"{path}: cannot be read: {error}") from error
        self.names: tuple[str, ...] | None = tuple(self._names)
        self.width = len(self._names)

    def batches(self, wanted: Sequence[int], size: int = BLOCK_BYTES) -> Iterator[Batch]:
        pa, pq = arrow(), arrow("parquet")
        names = [self._names[i] for i in wanted]
        for name in names:
            if self._names.count(name) > 1:
                raise FeedError(f"{self._path}: {self._names.count(name)} columns are named {name}")
        row = 1
        try:
            with pq.ParquetFile(self._path) as file:
                for part in _parts(file, names, size // ROW_BYTES):
                    columns = {i: part.column(self._names[i]) for i in wanted}
                    end = row + part.num_rows
                    yield Batch(columns, np.arange(row, end), end - 1)
                    row = end
        except (pa.ArrowException, OSError) as error:
            raise FeedError(f"{self._path}: cannot be read: {error}") from error


def _parts(file: Any, names: list[str], rows: int) -> Iterator[Any]:
    """Record batches.

    Of row groups that are asked for together each stays in memory up to the end: those of one
    large file, too.
    """
    for groups in _bunches(file.metadata):
        yield from file.iter_batches(rows, groups, columns=names, use_threads=False)


def _bunches(metadata: Any) -> Iterator[list[int]]:
    """Row groups that follow each other, few rows in all or one group."""
    bunch: list[int] = []
    count = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if bunch and count + rows > TOGETHER:
            yield bunch
            bunch, count = [], 0
        bunch.append(group)
        count += rows
    if bunch:
        yield bunch
