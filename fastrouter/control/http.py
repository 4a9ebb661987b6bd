"""HTTP on a port that serves WebSocket sessions, too.

uvicorn's own protocol, but for three things: each connection counts like those of sessions, a
request has to be whole in time, and one that asks for a WebSocket is handed over, connection and
all, to whoever serves sessions: from then on HTTP costs that session nothing.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fastrouter.control.problem import Problem

__all__ = ["Doorman", "Http"]

REFUSAL = [(b"content-type", b"application/json"), (b"connection", b"close")]
UNFINISHED = (h11.IDLE, h11.SEND_BODY)  # what a client's request can be


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


class Http(H11Protocol):
    """One connection until it asks for a WebSocket.

    `address` is that of one which was let in already. Whoever takes longer than
    `seconds` for a request is cut.
    """

    def __init__(
        self, doorman: Doorman, address: str | None, seconds: float, **uvicorn: Any
    ) -> None:
        super().__init__(**uvicorn)
        self.ws_protocol_class = asyncio.Protocol  # any will do: requests for one are told of
        self.doorman = doorman
        self.address = address  # None: not let in yet, or handed over
        self.made = False  # did the loop hand it a transport?
        self.asked = False  # was there a request?
        self._seconds = seconds
        self._cut: asyncio.TimerHandle | None = None  # unless the request is whole by then

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.made = True
        if self.address is None:
            address = self.doorman.address_of(transport.get_extra_info("peername"))
            if not self.doorman.lets_in(address):
                transport.abort()
                return
            self.address = address
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.address is None:
            return
        self._unwatch()
        self._unset_keepalive_if_required()
        self.doorman.leave(self.address, self.asked)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.address is None:
            return
        if self.conn.their_state not in UNFINISHED:
            self._unwatch()
        elif self._cut is None:
            self._watch()

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

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, as everything else is answered, if that is not done; hang up."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = bytes(Problem(HTTPStatus.BAD_REQUEST, msg).answer().body)
            headers = [*REFUSAL, (b"content-length", b"%d" % len(body))]
            for event in (
                h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    # ------------------------------------------------------------------ in time

    def _watch(self) -> None:
        self._cut = self.loop.call_later(self._seconds, self.transport.abort)

    def _unwatch(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None


def _head(request: h11.Request) -> bytes:
    """The request as it came, but for blanks around values."""
    first = b"%b %b HTTP/%b\r\n" % (request.method, request.target, request.http_version)
    headers = (b"%b: %b\r\n" % header for header in request.headers.raw_items())
    return first + b"".join(headers) + b"\r\n"
