"""What signals ask for."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

__all__ = ["Stop", "end"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """What signals ask for: the first to stop, the second to stop at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        if self.asked.is_set():
            self.at_once.set()
        self.asked.set()


async def end(
    closing: Awaitable[None], kill: Callable[[], None], at_once: asyncio.Event | None
) -> None:
    """Wait until processes have ended within their grace; from `at_once` on, `kill` ends it."""
    closed = asyncio.ensure_future(closing)
    if at_once is not None:
        asked = asyncio.ensure_future(at_once.wait())
        await asyncio.wait([closed, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not closed.done():
            kill()
    await closed
