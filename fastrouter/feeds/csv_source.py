"""CSV in blocks of whole lines, so that memory is bounded and lines are known.

A block is split into columns only for who does not take it as it is (`scanner.Scanner`), by
pyarrow. A field may be quoted but holds no line end. A block that pyarrow takes whole costs no
Python per row; one that holds a blank line, a row of another width, broken UTF-8 or a
stray quote is read again line by line.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np

from ..errors import FeedError
from .arrow import arrow
from .source import BLOCK_BYTES, Batch, Lines, split

__all__ = ["CsvSource"]

FIRST_BYTES = 1 << 14
LONGEST_LINE = 1 << 20
BOM = b"\xef\xbb\xbf"
DELIMITERS = ",;\t|"


class CsvSource:
    """One CSV file; its first line that is not blank tells delimiter, width and header."""

    unit = "line"

    def __init__(
        self, path: Path, *, zipped: bool, delimiter: str | None, header: bool | None
    ) -> None:
        arrow("csv")
        if delimiter is not None and len(delimiter) != 1:
            raise FeedError(f"delimiter must be one character, not {delimiter!r}")
        self._path = path
        self._zipped = zipped
        self.total = path.stat().st_size
        try:
            lines = next(self._blocks(FIRST_BYTES), (b"", 0))[0].split(b"\n")
        except _Unreadable as error:
            raise FeedError(f"{path}: line 1: {error}") from error
        self._before = next((i for i, line in enumerate(lines) if line.strip()), None)
        if self._before is None:
            raise FeedError(f"{path}: the file is empty")
        first = lines[self._before].decode("utf-8", "replace").rstrip("\r")
        self._delimiter = delimiter or max(DELIMITERS, key=first.count)
        cells = split(first, self._delimiter)
        self.width = len(cells)
        if header is None:
            header = not any(is_number(cell) for cell in cells)
        self.names = tuple(cell.strip() for cell in cells) if header else None
        self._before += header

    def batches(self, wanted: Sequence[int], size: int = BLOCK_BYTES) -> Iterator[Lines]:
        line = 1
        skip = cast(int, self._before)
        try:
            for block, position in self._blocks(size):
                if skip:
                    *before, rest = block.split(b"\n", skip)
                    line, skip = line + len(before), skip - len(before)
                    block = b"" if skip else rest
                if not block:
                    continue
                split = partial(self._split_block, block, wanted, line)
                lines = Lines(block, line, (self.width, self._delimiter), position, split)
                yield lines
                line += lines.count
        except _Unreadable as error:
            raise FeedError(f"{self._path}: line {line}: {error}") from error

    def _split_block(self, block: bytes, wanted: Sequence[int], line: int) -> Batch:
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        whole = self._whole(block, wanted, line, lines)
        return whole or self._line_by_line(block, wanted, line)

    def _blocks(self, size: int = BLOCK_BYTES) -> Iterator[tuple[bytes, int]]:
        """Whole lines, and the bytes of the file that are read. Raises _Unreadable."""
        try:
            yield from self._read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise _Unreadable(f"cannot be read: {error}") from error

    def _read(self, size: int) -> Iterator[tuple[bytes, int]]:
        with self._path.open("rb") as raw:
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw) if self._zipped else raw)
            rest = b""
            start = True
            while chunk := file.read(size):
                chunk = rest + (chunk.removeprefix(BOM) if start else chunk)
                start = False
                end = chunk.rfind(b"\n") + 1
                rest = chunk[end:]
                if len(rest) > LONGEST_LINE:
                    raise _Unreadable(f"it has more than {LONGEST_LINE:,} bytes; is this CSV?")
                if end:
                    yield chunk[:end], raw.tell()
            if rest:
                yield rest, raw.tell()

    def _whole(self, block: bytes, wanted: Sequence[int], line: int, lines: int) -> Batch | None:
        """The block by pyarrow, or None when it does not hold one row in each line."""
        pa, pcsv = arrow(), arrow("csv")
        names = [str(i) for i in range(self.width)]
        try:
            table = pcsv.read_csv(
                pa.BufferReader(block),
                read_options=pcsv.ReadOptions(
                    column_names=names, use_threads=False, block_size=len(block) + 1
                ),
                parse_options=pcsv.ParseOptions(delimiter=self._delimiter),
                convert_options=pcsv.ConvertOptions(
                    include_columns=[str(i) for i in wanted],
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != lines:
            return None
        columns = {i: table.column(str(i)).combine_chunks() for i in wanted}
        return Batch(columns, np.arange(line, line + lines), 0)

    def _line_by_line(self, block: bytes, wanted: Sequence[int], line: int) -> Batch:
        pa = arrow()
        rows: list[list[str]] = []
        numbers: list[int] = []
        rejected: list[tuple[int, str]] = []
        for number, raw in enumerate(block.split(b"\n"), line):
            text = raw.decode("utf-8", "replace").rstrip("\r")
            if not text.strip():
                continue
            cells = split(text, self._delimiter)
            if len(cells) == self.width:
                rows.append(cells)
                numbers.append(number)
            else:
                rejected.append((number, f"{len(cells)} columns, expected {self.width}"))
        columns = {i: pa.array([row[i] for row in rows], pa.string()) for i in wanted}
        return Batch(columns, np.array(numbers, np.int64), 0, rejected)


class _Unreadable(Exception):
    """Why a file cannot be read on."""


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
