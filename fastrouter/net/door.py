"""Where TLS connections come in: each is judged before its handshake costs anything.

A loop's own TLS server tells of a connection when its handshake is done. Until then nobody
would count it, and a handshake takes memory, processor time and at worst its whole timeout.
So this accepts by itself, asks the server whether the connection may come in, and only then
begins TLS.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastrouter.net.server import Server

__all__ = ["Door"]

A_TURN = 64  # connections accepted before the loop gets its turn
REST = 1.0  # s without accepting, when there is no descriptor or memory for one more
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Door:
    """The listening sockets of a TLS endpoint. Made by `open`; `close` it in the end."""

    def __init__(self, server: Server, listening: list[socket.socket], tls: dict[str, Any]) -> None:
        self.sockets = listening
        self._server = server
        self._loop = server.loop
        self._tls = tls
        self._handshakes: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self._listen()

    @classmethod
    async def open(cls, server: Server, host: str, port: int, *, backlog: int, **tls: Any) -> Door:
        """Listen on every address of `host`, one port for all; `tls` is for the loop.

        Raises OSError.
        """
        found = await server.loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listening: list[socket.socket] = []
        try:
            for family, *_, address in dict.fromkeys(found):
                listening.append(_bind(family, (address[0], port, *address[2:]), backlog))
                port = listening[0].getsockname()[1]
        except OSError:
            for one in listening:
                one.close()
            raise
        return cls(server, listening, tls)

    def close(self) -> None:
        """Stop listening, and give up the handshakes under way."""
        if self._resting is not None:
            self._resting.cancel()
        for listening in self.sockets:
            self._loop.remove_reader(listening.fileno())
            listening.close()
        for handshake in self._handshakes:
            handshake.cancel()

    # ----------------------------------------------------------------- accepting

    def _listen(self) -> None:
        self._resting = None
        for listening in self.sockets:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(A_TURN):
            try:
                connection, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            connection.setblocking(False)
            self._judge(connection, peer)

    def _rest(self, error: OSError) -> None:
        """The kernel has nothing left for us: to ask again at once would only burn."""
        if error.errno not in EXHAUSTED:
            raise error
        self._server.log.error("cannot accept connections: %s", os.strerror(error.errno))
        for listening in self.sockets:
            self._loop.remove_reader(listening.fileno())
        self._resting = self._loop.call_later(REST, self._listen)

    def _judge(self, connection: socket.socket, peer: Any) -> None:
        address = self._server.address_of(peer)
        if not self._server.lets_in(address):
            connection.close()
            return
        protocol = self._server.meet(address)
        handshake = self._loop.create_task(self._handshake(connection, protocol))
        self._handshakes.add(handshake)
        handshake.add_done_callback(partial(self._shaken, connection, protocol, address))

    async def _handshake(self, connection: socket.socket, protocol: Any) -> None:
        with suppress(OSError):  # of TLS too; a peer's fault, which is counted
            await self._loop.connect_accepted_socket(lambda: protocol, connection, **self._tls)

    def _shaken(
        self, connection: socket.socket, protocol: Any, address: str, handshake: asyncio.Task[None]
    ) -> None:
        """A handshake is over, or was cancelled before it began."""
        self._handshakes.discard(handshake)
        if not protocol.made:
            connection.close()
            self._server.leave(address, False)


def _bind(family: int, address: Any, backlog: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # IPv4 has a socket of its own
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(backlog)
    except OSError:
        listening.close()
        raise
    return listening
