"""HTTP on a port that serves WebSocket sessions, too.

uvicorn's own protocol, but for three things: each connection counts like those of sessions, a
request has to be whole in time, and one that asks for a WebSocket is handed over, connection and
all, to whoever serves sessions: from then on HTTP costs that session nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from fastrouter.control.timely import HEAD_BYTES, Timely

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
        self,
        doorman: Doorman,
        address: str | None,
        seconds: float,
        head_bytes: int = HEAD_BYTES,
        **uvicorn: Any,
    ) -> None:
        super().__init__(seconds, head_bytes=head_bytes, **uvicorn)
        self.ws_protocol_class = asyncio.Protocol  # any will do: requests for one are told of
        self.doorman = doorman
        self.address = address  # None: not let in yet, or handed over
        self.made = False  # did the loop hand it a transport?
        self.asked = False  # was there a request?
        self._session = b""  # the request for one, which is to be handed over, and what is behind

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

    def on_headers_complete(self) -> None:
        self.asked = True
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._session and self.cycle.response_complete and not self.transport.is_closing():
            self._hand_over()

    def data_received(self, data: bytes) -> None:
        if self._session:  # it comes in spite of the pause
            self._session += data
        else:
            super().data_received(data)

    def _upgrade(self, behind: bytes) -> bytes:
        """Hand the connection over, with the request, and what came right behind it.

        When all requests before it are answered, that is.
        """
        if not self._should_upgrade():
            return super()._upgrade(behind)
        if not self._may_be_a_session():
            self.send_400_response("a WebSocket is asked for by GET, HTTP/1.1, without a body")
            return b""
        self._session = self.head() + behind
        if self.cycle is None or self.cycle.response_complete:
            self._hand_over()
        else:
            self.flow.pause_reading()
        return b""

    def _may_be_a_session(self) -> bool:
        """RFC 6455, 4.1."""
        asked = (self.scope["method"], self.scope["http_version"])
        return asked == ("GET", "1.1") and not any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        )

    def _hand_over(self) -> None:
        address, self.address = self.address, None  # it is not ours any more
        assert address is not None
        session, self._session = self._session, b""
        self._unwatch()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]  # it knows us
        self.doorman.hand_over(self.transport, address, session)
