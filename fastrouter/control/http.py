"""HTTP on a port that serves WebSocket sessions, too.

uvicorn's own protocol, but for three things: each connection counts like those of sessions, a
request has to be whole in time, and one that asks for a WebSocket is handed over, connection and
all, to whoever serves sessions: from then on HTTP costs that session nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import h11

from fastrouter.control.timely import Timely

__all__ = ["Doorman", "Http"]


class Doorman(Protocol):
    """`fastrouter.net.server.Server`: who counts connections, and serves sessions."""

    def address_of(self, peer: object, /) -> str:
        """The address of a connection, by its peer's name as a socket tells it."""

    def lets_in(self, address: str, /) -> bool:
        """Judge a new connection; who gets in is counted."""

    def leave(self, address: str, asked: bool, /) -> None:
        """A connection that was let in is lost; `asked`: it had asked for something."""

    def hand_over(self, transport: asyncio.Transport, address: str, data: bytes, /) -> None:
        """Take a connection that was let in, and what it has sent: from its request on."""


class Http(Timely):
    """One connection until it asks for a WebSocket.

    `address` is that of one which was let in already. Whoever takes longer than
    `seconds` for a request is cut.
    """

    def __init__(
        self, doorman: Doorman, address: str | None, seconds: float, **uvicorn: Any
    ) -> None:
        super().__init__(seconds, **uvicorn)
        self.ws_protocol_class = asyncio.Protocol  # any will do: requests for one are told of
        self.doorman = doorman
        self.address = address  # None: not let in yet, or handed over
        self.made = False  # did the loop hand it a transport?
        self.asked = False  # was there a request?

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.made = True
        if self.address is None:
            address = self.doorman.address_of(transport.get_extra_info("peername"))
            if not self.doorman.lets_in(address):
                transport.abort()
                return
            self.address = address
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.address is None:
            return
        self.doorman.leave(self.address, self.asked)
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.address is not None:  # not handed over meanwhile
            super()._look()

    def handle_events(self) -> None:
        super().handle_events()
        self.asked = self.asked or self.scope is not None

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over, with the request, and what came right behind it."""
        address, self.address = self.address, None  # it is not ours any more
        assert address is not None
        self._unwatch()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.connections.discard(self)
        behind, _ = self.conn.trailing_data
        self.doorman.hand_over(self.transport, address, _head(event) + behind)


def _head(request: h11.Request) -> bytes:
    """The request as it came, but for blanks around values."""
    first = b"%b %b HTTP/%b\r\n" % (request.method, request.target, request.http_version)
    headers = (b"%b: %b\r\n" % header for header in request.headers.raw_items())
    return first + b"".join(headers) + b"\r\n"
