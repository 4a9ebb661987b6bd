"""Keeps one program running: again after each crash, until it ends or is stopped.

::

    exit status 0      it has ended: no more
    any other end      a crash: again after a while (`backoff`), or it has failed: no more
    stop()             SIGTERM, then SIGKILL; no more
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from fastrouter.control.child import Child, how
from fastrouter.control.strategies.backoff import Backoff

__all__ = ["Keeper", "Timer", "Watcher"]


logger = logging.getLogger("fastrouter.control")


class Timer(NamedTuple):
    """A monotonic clock, and how to wait by it; seconds."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]


class Watcher(Protocol):
    """Who is told, and awaited, in the order of what happens; but not of what `stop` does."""

    async def restarted(self) -> None: ...
    async def crashed(self, how: str, delay: float) -> None: ...
    async def failed(self, how: str) -> None: ...
    async def ended(self) -> None: ...


class Keeper:
    """Runs what `launch` starts. `grace` is in seconds, from SIGTERM to SIGKILL."""

    def __init__(
        self,
        launch: Callable[[], Awaitable[Child]],
        backoff: Backoff,
        watcher: Watcher,
        timer: Timer,
        grace: float,
    ) -> None:
        self._launch = launch
        self._backoff = backoff
        self._watcher = watcher
        self._timer = timer
        self._grace = grace
        self._stopping = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self.child: Child | None = None  # None: it does not run just now

    async def start(self) -> None:
        """The first time. Raises OSError when there is no such program."""
        child = await self._launch()
        self.child = child
        self._keeping = asyncio.create_task(self._keep(child), name=f"keeper of {child.pid}")

    async def stop(self) -> None:
        """Have it end, and wait until it has. Safe to call again."""
        self._stopping.set()
        if self.child is not None:
            await self.child.stop(self._grace)
        await self.settled()

    def kill(self) -> None:
        """SIGKILL, now."""
        if self.child is not None:
            self.child.kill()

    async def settled(self) -> None:
        """Until nothing of it is left, and all is told. It must be ending."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping])

    async def _keep(self, child: Child) -> None:
        try:
            await self._go_on(child)
        except Exception as error:
            logger.exception("a keeper of a program")
            await self._watcher.failed(f"see the server's log: {error!r}")

    async def _go_on(self, child: Child | None) -> None:
        while child is not None:
            code = await child.wait()
            self.child = None
            if self._stopping.is_set():
                return
            if code == 0:
                await self._watcher.ended()
                return
            child = await self._again(how(code))

    async def _again(self, ended: str) -> Child | None:
        """It crashed: run it once more, or None when that is not to be."""
        delay = self._backoff.crashed(self._timer.now())
        if delay is None:
            await self._watcher.failed(f"{ended}, too often")
            return None
        await self._watcher.crashed(ended, delay)
        await self._rest(delay)
        if self._stopping.is_set():
            return None
        try:
            self.child = child = await self._launch()
        except OSError as error:
            await self._watcher.failed(f"it cannot be started: {error.strerror or error}")
            return None
        if self._stopping.is_set():
            await child.stop(self._grace)
        else:
            await self._watcher.restarted()
        return child

    async def _rest(self, seconds: float) -> None:
        """Wait, or until it is stopped."""
        waits = [
            asyncio.ensure_future(self._timer.sleep(seconds)),
            asyncio.ensure_future(self._stopping.wait()),
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait
