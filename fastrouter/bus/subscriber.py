"""The receiving side of the bus."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from fastrouter.bus.nng import library, refused

__all__ = ["Subscriber"]

MOST = 32  # messages at a time, about a millisecond, so that the loop has its turn
WAITING = 8192  # messages NNG keeps for us; beyond, the oldest are lost
LARGEST = 1 << 20  # bytes of a message; NNG hangs up on who sends a larger one
BARE = b"{"  # how a message without a topic begins


class Subscriber:
    """Messages of the publishers at `dial`, and of those that dial us at `listen`.

    :param topics: prefixes of what to receive; none: everything. Messages without a topic in
        front are received in any case.
    :param on_state: called on the loop with True when the first publisher is there and with
        False when the last one is gone. Who is not there is dialled again, by NNG itself.
    :param reconnect: the shortest and longest wait (s) before that.

    `open` it on the loop that takes, and `close` it there.
    """

    def __init__(
        self,
        *,
        dial: Iterable[str] = (),
        listen: Iterable[str] = (),
        topics: Iterable[str] = (),
        on_state: Callable[[bool], object] = lambda up: None,
        reconnect: tuple[float, float] = (0.1, 5.0),
    ) -> None:
        self._nng = library()
        self._dial = tuple(dial)
        self._listen = tuple(listen)
        self._topics = tuple(topics)
        self._on_state = on_state
        self._reconnect = reconnect
        self._socket: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptor = -1
        self.addresses: tuple[str, ...] = ()
        self.publishers = 0

    def open(self) -> None:
        """Listen, and begin to dial. Raises ConfigError for an address that cannot be had."""
        self._loop = asyncio.get_running_loop()
        shortest, longest = self._reconnect
        self._socket = self._nng.Sub0(
            recv_buffer_size=WAITING,
            recv_max_size=LARGEST,
            reconnect_time_min=round(shortest * 1000),
            reconnect_time_max=round(longest * 1000),
        )
        self._socket.add_post_pipe_connect_cb(lambda pipe: self._from_a_thread(1))
        self._socket.add_post_pipe_remove_cb(lambda pipe: self._from_a_thread(-1))
        for topic in (*map(str.encode, self._topics), BARE) if self._topics else (b"",):
            self._socket.subscribe(topic)
        try:
            self._connect()
        except BaseException:
            self.close()
            raise
        self._descriptor = self._socket.recv_fd

    def _connect(self) -> None:
        listening = [
            self._at("listen on", address, self._socket.listen) for address in self._listen
        ]
        self.addresses = tuple(listener.url for listener in listening)
        for address in self._dial:
            self._at("dial", address, lambda where: self._socket.dial(where, block=False))

    def _at(self, doing: str, address: str, do: Callable[[str], Any]) -> Any:
        try:
            return do(address)
        except self._nng.NNGException as error:
            raise refused(doing, address, error) from None

    async def take(self) -> list[bytes]:
        """The messages that are there, 32 at most; waits for the first."""
        while not (messages := self._receive()):
            await self._readable()
        return messages

    def _receive(self) -> list[bytes]:
        messages: list[bytes] = []
        with contextlib.suppress(self._nng.TryAgain):
            while len(messages) < MOST:
                messages.append(self._one())
        return messages

    def _one(self) -> bytes:
        try:
            message: bytes = self._socket.recv(block=False)
        except RuntimeError:  # what pynng 0.9 makes of an empty message, which anybody may send
            return b""
        return message

    async def _readable(self) -> None:
        assert self._loop is not None
        ready = self._loop.create_future()
        self._loop.add_reader(self._descriptor, _settle, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(self._descriptor)

    def close(self) -> None:
        """Hang up. Nobody may be taking any more. Safe to call again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # ---- publishers come and go, which threads of NNG tell

    def _from_a_thread(self, change: int) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is gone, and so are we
            self._loop.call_soon_threadsafe(self._count, change)

    def _count(self, change: int) -> None:
        before, self.publishers = self.publishers, self.publishers + change
        if self._socket is not None and bool(before) != bool(self.publishers):
            self._on_state(self.publishers > 0)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
