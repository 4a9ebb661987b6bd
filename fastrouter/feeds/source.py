"""A file as batches of columns; what the file is shows in its first bytes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import FeedError

__all__ = ["BLOCK_BYTES", "Batch", "Lines", "Source", "open_source", "split"]

BLOCK_BYTES = 1 << 17
"""About how much of a file is in memory at a time."""

MOST_FILES = 20  # of a folder, in an error


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


class Lines:
    """Some lines of a CSV file, split into columns only when one is asked for.

    :param text: whole lines, the last perhaps without an end.
    :param first: the number of the first.
    :param shape: how many cells a line should have, and what is between them.
    :param position: as a `Batch`'s.
    :param split: splits them.
    """

    def __init__(
        self,
        text: bytes,
        first: int,
        shape: tuple[int, str],
        position: int,
        split: Callable[[], Batch],
    ) -> None:
        self.text = text
        self.first = first
        self.shape = shape
        self.position = position
        self._split = split

    @cached_property
    def batch(self) -> Batch:
        """Their columns."""
        return self._split()

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """As a `Batch`; when nobody has asked for columns that of every line."""
        if "batch" in self.__dict__:
            return self.batch.numbers
        return np.arange(self.first, self.first + self.count)

    @cached_property
    def count(self) -> int:
        """How many lines, blank ones included; who has counted them may set it."""
        return self.text.count(b"\n") + (not self.text.endswith(b"\n"))


class Source(Protocol):
    unit: str
    """What numbers count: "line" or "row"."""

    names: tuple[str, ...] | None
    """Of the columns; None without a header."""

    width: int
    total: int

    def batches(
        self, wanted: Sequence[int], size: int = BLOCK_BYTES
    ) -> Iterator[Batch] | Iterator[Lines]:
        """The columns at the positions ``wanted``, from the file's start. Raises FeedError.

        :param size: about how many bytes at a time.
        """


def open_source(path: Path, *, delimiter: str | None = None, header: bool | None = None) -> Source:
    """The source for a Parquet file, or for a CSV file, gzipped or not. Raises FeedError."""
    from .csv_source import CsvSource
    from .parquet_source import ParquetSource

    if path.is_dir():
        files = ", ".join(
            sorted(file.name for file in path.iterdir() if file.is_file())[:MOST_FILES]
        )
        raise FeedError(f"{path}: is a folder; name one of its files: {files or 'there are none'}")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise FeedError(f"{path}: {error.strerror or error}") from error
    if magic == b"PAR1":
        return ParquetSource(path)
    if path.suffix == ".parquet":  # its bytes are not to be shown as what the columns are called
        raise FeedError(f"{path}: is no Parquet file: it does not begin with PAR1")
    return CsvSource(path, zipped=magic[:2] == b"\x1f\x8b", delimiter=delimiter, header=header)


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line of CSV; the whole line for one that is none."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]
