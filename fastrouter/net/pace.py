"""How much one connection is read: what a client sends must not starve the others.

A loop reads a socket that always has more up to 32 times before it turns to the next. So each
connection has an allowance: who spends it is not read for the rest of a stretch of time. The
kernel holds what it sends meanwhile, and then holds the client.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

__all__ = ["ALLOWANCE", "Allowance", "Pace"]


class Allowance(NamedTuple):
    """`size` bytes within `stretch` seconds, then as long a pause."""

    size: int = 64 * 1024
    stretch: float = 0.05


#: about 1.3 MB/s for a client that never stops; whole messages, control frames included
ALLOWANCE = Allowance()


class Pace:
    """Counts what is read from `transport`; pauses and resumes it. `stop` it in the end."""

    __slots__ = ("_allowance", "_began", "_loop", "_read", "_resuming", "_transport")

    def __init__(
        self,
        transport: asyncio.ReadTransport,
        loop: asyncio.AbstractEventLoop,
        allowance: Allowance = ALLOWANCE,
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._allowance = allowance
        self._began = loop.time()
        self._read = 0
        self._resuming: asyncio.TimerHandle | None = None

    def take(self, count: int) -> None:
        """So many bytes have just been read."""
        now = self._loop.time()
        if now - self._began >= self._allowance.stretch:
            self._began = now
            self._read = 0
        self._read += count
        if self._read >= self._allowance.size and self._resuming is None:
            self._pause()

    def stop(self) -> None:
        """The connection is lost: nothing to resume."""
        if self._resuming is not None:
            self._resuming.cancel()

    def _pause(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()
            self._resuming = self._loop.call_later(self._allowance.stretch, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        self._read = 0
        if not self._transport.is_closing():
            self._transport.resume_reading()
