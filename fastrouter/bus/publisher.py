"""The sending side of the bus."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastrouter.bus.message import message_of
from fastrouter.bus.nng import library, refused

__all__ = ["Publisher"]

LINGER = 0.1  # s; what was sent just now is in NNG's queues, and closing empties them


class Publisher:
    """Sends to whoever subscribes at `address`; it never waits for them.

    Each subscriber has a queue of `buffer` messages; when it is slower than that, NNG drops the
    oldest of its own, and nobody else's. Raises ConfigError for an address that cannot be had.
    """

    def __init__(self, address: str, *, buffer: int = 1024) -> None:
        nng = library()
        self._socket: Any = nng.Pub0(send_buffer_size=buffer)
        self.sent = 0
        self._last = -LINGER  # when, s of the monotonic clock
        try:
            self.address: str = self._socket.listen(address).url
        except nng.NNGException as error:
            self._socket.close()
            raise refused("listen on", address, error) from None

    @property
    def subscribers(self) -> int:
        """How many are connected."""
        return len(self._socket.pipes)

    def send(self, payload: bytes) -> None:
        """Send an envelope, its type in front."""
        self._socket.send(message_of(payload), block=False)
        self.sent += 1
        self._last = time.monotonic()

    async def close(self) -> None:
        """Hang up, a tenth of a second after the last message at the earliest."""
        rest = self._last + LINGER - time.monotonic()
        if rest > 0 and self.subscribers:
            await asyncio.sleep(rest)
        self._socket.close()
