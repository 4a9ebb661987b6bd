"""A file as batches of columns; what the file is shows in its first bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import FeedError

__all__ = ["Batch", "Source", "open_source"]


@dataclass(slots=True)
class Batch:
    """Some rows of a file, as columns."""

    columns: dict[int, Any]
    """Position in the file -> pyarrow array; those that were asked for, of equal length."""

    numbers: npt.NDArray[np.int64]
    """The row's line (CSV, the header's counted) or row (Parquet), from 1."""

    position: int
    """How far the file is read, of `Source.total`."""

    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Number and reason of what could not even be split into columns."""


class Source(Protocol):
    unit: str
    """What numbers count: "line" or "row"."""

    names: tuple[str, ...] | None
    """Of the columns; None without a header."""

    width: int
    total: int

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """The columns at the positions ``wanted``, from the file's start. Raises FeedError."""


def open_source(path: Path, *, delimiter: str | None = None, header: bool | None = None) -> Source:
    """The source for a Parquet file, or for a CSV file, gzipped or not. Raises FeedError."""
    from .csv_source import CsvSource
    from .parquet_source import ParquetSource

    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise FeedError(f"{path}: {error.strerror or error}") from error
    if magic == b"PAR1":
        return ParquetSource(path)
    return CsvSource(path, zipped=magic[:2] == b"\x1f\x8b", delimiter=delimiter, header=header)
