"""A program that runs beside us: its output kept, its end seen, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress

from fastrouter.control import launch
from fastrouter.control.output import Log, Output

__all__ = ["Child", "Log", "how"]

LAUNCH = (sys.executable, "-I", "-S", launch.__file__)


class Child:
    """A running program; made by `start`. It leads a process group, which ends with it.

    Whoever started it waits for it, with `wait` or `stop`, as often as it likes.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Log, output: Output) -> None:
        self.log = log
        self._process = process
        self._output = output
        self._over = False
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.pidfd_open(process.pid)
        self._loop.add_reader(self._descriptor, self._end)

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], log: Log, nice: int = 0
    ) -> Child:
        """Run it, without a terminal; its output goes to the log, which the caller closes.

        `nice`, 0 to 19, is how far it lets others have a CPU first that both want (nice(2)).
        Raises OSError when there is no such program, or it cannot be run.
        """
        with ExitStack() as undone:
            output = Output(log.write)
            undone.callback(output.close)
            failure, report = os.pipe()
            undone.callback(os.close, failure)
            try:
                # The loop stands still for it, and not for long: without a function of ours before
                # exec it is a vfork, whatever the size of this process.
                process = subprocess.Popen(  # noqa: ASYNC220
                    [*LAUNCH, str(os.getpid()), str(report), str(nice), *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output.writer,
                    stderr=subprocess.STDOUT,
                    env=dict(environment),
                    start_new_session=True,
                    pass_fds=[report],
                )
            except ValueError as error:  # a zero byte in it
                raise OSError(f"{command[0]!r} cannot be run: {error}") from None
            finally:
                os.close(report)
            undone.callback(_undo, process)
            child = cls(process, log, output)
            undone.pop_all()
        output.started()
        try:
            number = await _said(failure)
        except BaseException:  # canceled
            child.kill()
            output.close()
            raise
        if number:
            await child.wait()
            raise OSError(int(number), os.strerror(int(number)), command[0])
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """As of `subprocess`: below 0 the signal that ended it, None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Until it has ended and all that it wrote is in the log; how it ended."""
        await self._ended.wait()
        code = self._process.wait()
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
                    await self._ended.wait()
            except TimeoutError:
                self._signal(signal.SIGKILL)
        return await self.wait()

    def kill(self) -> None:
        """SIGKILL to its whole group; `wait` returns soon."""
        if self.returncode is None:
            self._signal(signal.SIGKILL)

    def _end(self) -> None:
        """It has ended, and nobody has asked how."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._process.wait()
        self._ended.set()

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


def _undo(process: subprocess.Popen[bytes]) -> None:
    """It runs, and nobody could wait for it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


async def _said(descriptor: int) -> bytes:
    """All that comes through a pipe, which is closed then."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
        return os.read(descriptor, 16)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
