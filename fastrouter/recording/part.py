"""A file under way: it grows by portions, and what is whole of it can always be read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..errors import FastrouterError
from ..feeds.arrow import arrow
from .layout import Layout, Row

__all__ = ["PARTS", "SUFFIX", "ArrowPart", "CsvPart", "Part", "failing", "part_of"]

SUFFIX = ".part"
GROUP = 1 << 18
"""Rows of a row group."""


class Part(Protocol):
    """A file under way; see `Sheet`. All raise FastrouterError when the disk does not take it."""

    def write(self, rows: Sequence[Row]) -> None:
        """Append a portion; whoever is killed afterwards does not lose it."""

    def finish(self) -> None:
        """Make it the file it is to be."""

    def close(self) -> None:
        """Leave it as it is; nothing after `finish`."""


class CsvPart:
    """Lines of CSV."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        with failing(path):
            self._file = part_of(path).open("x", encoding="utf-8", newline="")
            self._file.write(",".join(layout.columns) + "\n")
            self._file.flush()

    def write(self, rows: Sequence[Row]) -> None:
        with failing(self._path):
            self._file.writelines(",".join(map(_text, row)) + "\n" for row in rows)
            self._file.flush()

    def finish(self) -> None:
        with failing(self._path):
            self._file.close()
            self.complete(self._path)

    def close(self) -> None:
        with failing(self._path):
            self._file.close()

    @staticmethod
    def complete(path: Path) -> None:
        """Make a file of what is whole of its part."""
        with part_of(path).open("rb+") as file:
            file.truncate(_whole(file))
            os.fsync(file.fileno())
        part_of(path).replace(path)


class ArrowPart:
    """A stream of Arrow batches, which becomes a Parquet file: one of those says at its end what is
    in it, and cannot be read before.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._schema = layout.schema()
        with failing(path):
            self._file = part_of(path).open("xb")
            self._writer = arrow("ipc").new_stream(self._file, self._schema)
            self._file.flush()

    def write(self, rows: Sequence[Row]) -> None:
        columns = zip(*rows, strict=True)
        arrays = [
            arrow().array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        with failing(self._path):
            self._writer.write_batch(arrow().record_batch(arrays, schema=self._schema))
            self._file.flush()

    def finish(self) -> None:
        with failing(self._path):
            self._writer.close()
            self._file.close()
            self.complete(self._path)

    def close(self) -> None:
        with failing(self._path):
            self._file.close()

    @staticmethod
    def complete(path: Path) -> None:
        """Make a file of what is whole of its part."""
        pq = arrow("parquet")
        beside = path.with_name(path.name + ".whole")
        with part_of(path).open("rb") as part, beside.open("wb") as file:
            groups = _groups(part)
            with pq.ParquetWriter(file, next(groups), compression="zstd") as writer:
                for group in groups:
                    writer.write_table(group, GROUP)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        part_of(path).unlink()


PARTS: dict[str, type[CsvPart] | type[ArrowPart]] = {".parquet": ArrowPart, ".csv": CsvPart}
"""Suffix -> the part of such a file."""


def part_of(path: Path) -> Path:
    """Where a file is while it is under way."""
    return path.with_name(path.name + SUFFIX)


class failing:
    """Turns what the disk says into an error of ours that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, arrow().ArrowException)):
            why = getattr(error, "strerror", None) or error
            raise FastrouterError(f"{self._path}: {why}", code="RECORDING_FAILED") from None


def _text(value: Any) -> str:
    """A cell of CSV; what is text holds no comma and no line end."""
    if not isinstance(value, str):
        return repr(value)
    return '"' + value.replace('"', '""') + '"' if '"' in value else value


def _whole(file: Any) -> int:
    """How many bytes of a file are whole lines."""
    end: int = file.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - 4096)
        file.seek(begin)
        at: int = file.read(end - begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0


def _groups(part: Any) -> Iterator[Any]:
    """The schema of a stream; then its rows as tables of the size of a row group."""
    pa = arrow()
    with arrow("ipc").open_stream(part) as stream:
        yield stream.schema
        left = stream.schema.empty_table()
        for batch in _batches(stream):
            left = pa.concat_tables([left, pa.Table.from_batches([batch])])
            while len(left) >= GROUP:
                yield left[:GROUP]
                left = left[GROUP:]
        if len(left):
            yield left


def _batches(stream: Any) -> Iterator[Any]:
    """Those that are whole."""
    while True:
        try:
            yield stream.read_next_batch()
        except (StopIteration, arrow().ArrowInvalid, OSError):
            return
