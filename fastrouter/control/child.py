"""A program that runs beside us: its output kept, its end seen, and never left behind."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from fastrouter.control.output import Log, Output

__all__ = ["Child", "Log", "how"]

PDEATHSIG = 1  # prctl(2)


class Child:
    """A running program; made by `start`. It leads a process group, which ends with it.

    Whoever started it waits for it, with `wait` or `stop`, as often as it likes.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Log, output: Output) -> None:
        self.log = log
        self._process = process
        self._output = output
        self._over = False

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Log) -> Child:
        """Run it, without a terminal; its output goes to the log, which the caller closes.

        Raises OSError when there is no such program, or it cannot be run.
        """
        output = Output(log.write)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.writer,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_ends_with(os.getpid()) if sys.platform == "linux" else None,
            )
        except ValueError as error:  # a zero byte in it
            output.close()
            raise OSError(f"{command[0]!r} cannot be run: {error}") from None
        except BaseException:
            output.close()
            raise
        output.started()
        return cls(process, log, output)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """As of `subprocess`: below 0 the signal that ended it, None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Until it has ended and all that it wrote is in the log; how it ended."""
        code = await self._process.wait()
        if not self._over:
            self._over = True
            self._signal(signal.SIGKILL)  # whom it left behind in its group
            self._output.close()
        return code

    async def stop(self, grace: float) -> int:
        """SIGTERM, and SIGKILL to its whole group after `grace` seconds."""
        if self.returncode is None:
            self._signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(grace):
                    await self._process.wait()
            except TimeoutError:
                self._signal(signal.SIGKILL)
        return await self.wait()

    def kill(self) -> None:
        """SIGKILL to its whole group; `wait` returns soon."""
        if self.returncode is None:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def how(code: int) -> str:
    """How it ended, in words, by its return code."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"


_libc = ctypes.CDLL(None, use_errno=True)


def _ends_with(parent: int) -> Callable[[], None]:
    def end_with_parent() -> None:
        """In the child, before its program: SIGKILL it when we are killed and cannot."""
        _libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # that was before we had asked for it
            os._exit(1)

    return end_with_parent
