"""A program that runs beside us: its output kept, its end seen, and never left behind."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["Child", "Log"]

PDEATHSIG = 1  # prctl(2)
LINE = 4096  # bytes of a line that are kept in memory


class Log:
    """What a program writes: its last lines in memory, all of it in a file up to `most` bytes.

    A file that would be larger becomes ``NAME.1``, in the place of an older one.
    Without a `path` only the lines are kept.
    """

    def __init__(self, path: Path | None, *, most: int = 8 << 20, lines: int = 1000) -> None:
        self.path = path
        self.lines: deque[str] = deque(maxlen=lines)
        self._most = most
        self._rest = b""
        self._file: BinaryIO | None = None
        self._size = 0
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            self._size = path.stat().st_size

    def write(self, data: bytes) -> None:
        """Append it. What the disk does not take is in memory alone."""
        *whole, rest = (self._rest + data).split(b"\n")
        self.lines.extend(line[:LINE].decode(errors="replace") for line in whole)
        self._rest = rest[: 16 * LINE]
        if self._file is None:
            return
        if self._size + len(data) > self._most:
            self._turn()
        with suppress(OSError):
            self._size += self._file.write(data)

    def tail(self, count: int) -> list[str]:
        """The last lines, the newest last."""
        lines = [*self.lines]
        if self._rest:
            lines.append(self._rest[:LINE].decode(errors="replace"))
        return lines[-count:] if count else []

    def close(self) -> None:
        """Safe to call again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _turn(self) -> None:
        assert self.path is not None
        assert self._file is not None
        with suppress(OSError):
            self._file.close()
            os.replace(self.path, f"{self.path}.1")
        self._file = self.path.open("ab", buffering=0)
        self._size = 0


class Child:
    """A running program; made by `start`. It leads a process group, which ends with it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Log) -> None:
        self.log = log
        self._process = process
        self._reading = asyncio.create_task(self._read(), name=f"output of {process.pid}")

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Log) -> Child:
        """Run it, without a terminal. Raises OSError when there is no such program."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """As of `subprocess`: below 0 the signal that ended it, None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Until it has ended and all that it wrote is in the log."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)  # whom it left behind; they may hold its output open
        await self._reading
        return code

    async def stop(self, grace: float) -> int:
        """SIGTERM, and SIGKILL to its whole group after `grace` seconds."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
        return await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(1 << 16):
            self.log.write(data)


_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    """In the child, before its program: SIGKILL it when we are killed and cannot."""
    _libc.prctl(PDEATHSIG, signal.SIGKILL)
