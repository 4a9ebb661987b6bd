"""What a program writes: read from a pipe without ever waiting for it, and kept."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["LINE", "Log", "Output", "last_lines"]

LINE = 4096  # bytes of a line that are kept in memory, and shown
CHUNK = 1 << 16
PORTION = 1 << 20  # bytes, after which there is
PAUSE = 0.05  # s of pause: whoever writes without end does not get all of the loop


class Log:
    """What a program writes: its last lines in memory, all of it in a file up to `most` bytes.

    A file that would be larger becomes ``NAME.1``, in the place of an older one.
    Without a `path` only the lines are kept. Raises OSError for a path that cannot be written.
    """

    def __init__(
        self, path: Path | None, *, most: int = 8 << 20, lines: int = 1000, line: int = LINE
    ) -> None:
        self.path = path
        self.lines: deque[str] = deque(maxlen=lines)
        self._line = line  # bytes
        self._most = most
        self._rest = b""
        self._file: BinaryIO | None = None
        self._size = 0
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = _appending(path)
            self._size = path.stat().st_size
            if self._size and _end_of(path, 1) != b"\n":  # whoever wrote it was killed
                self._append(b"\n")

    def write(self, data: bytes) -> None:
        """Append it. What the disk does not take is in memory alone."""
        *whole, rest = (self._rest + data).split(b"\n")
        kept = whole[-(self.lines.maxlen or 0) :]
        self.lines.extend(line[: self._line].decode(errors="replace") for line in kept)
        self._rest = rest[: self._line]
        self._append(data)

    def end_line(self) -> None:
        """What comes next begins a line."""
        if self._rest:
            self.write(b"\n")

    def tail(self, count: int) -> list[str]:
        """The last lines, the newest last."""
        lines = [*self.lines]
        if self._rest:
            lines.append(self._rest.decode(errors="replace"))
        return lines[-count:] if count > 0 else []

    def close(self) -> None:
        """Safe to call again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, data: bytes) -> None:
        if self._file is None:
            return
        with suppress(OSError):
            if self._size + len(data) > self._most:
                self._turn()
            self._size += self._file.write(data)

    def _turn(self) -> None:
        assert self.path is not None
        assert self._file is not None
        with suppress(FileNotFoundError):  # it has turned, but there was no room for a new one
            os.replace(self.path, f"{self.path}.1")
        old, self._file = self._file, _appending(self.path)
        old.close()
        self._size = 0


def _appending(path: Path) -> BinaryIO:
    """The file, for us alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", 0)


def last_lines(path: Path, count: int, most: int = 1 << 18) -> list[str]:
    """The last lines of a log's files, out of their last `most` bytes; [] when there is none."""
    data = b""
    for one in (path, Path(f"{path}.1")):
        if len(data) < most and data.count(b"\n") <= count:
            data = _end_of(one, most - len(data)) + data
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line[:LINE].decode(errors="replace") for line in lines[-count:]] if count > 0 else []


def _end_of(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read(size)
    except FileNotFoundError:
        return b""


class Output:
    """A pipe; what comes through it is given to `take`, in the running loop.

    Whoever inherits `writer` may hold it open for as long as it likes: `close`
    does not wait for that.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._portion = 0  # bytes since the last pause
        self._pause: asyncio.TimerHandle | None = None
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._loop.add_reader(self._reader, self._ready)

    def started(self) -> None:
        """The program has its end: let go of ours."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Take what is there now, and hang up. Safe to call again."""
        self.started()
        if self._reader < 0:
            return
        left = _waiting(self._reader)
        while left > 0 and (data := os.read(self._reader, min(left, CHUNK))):
            left -= len(data)
            self._take(data)
        self._hang_up()

    def _ready(self) -> None:
        try:
            data = os.read(self._reader, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._hang_up()
            return
        self._take(data)
        self._portion += len(data)
        if self._portion >= PORTION:
            self._loop.remove_reader(self._reader)
            self._pause = self._loop.call_later(PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._portion = 0
        self._loop.add_reader(self._reader, self._ready)

    def _hang_up(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
        self._reader = -1


def _waiting(descriptor: int) -> int:
    """Bytes that can be read at once."""
    (size,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))
    return int(size)
