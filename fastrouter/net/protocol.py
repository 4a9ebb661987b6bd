"""picows's protocol, watched until its request is whole: counted, bounded, told why it is refused.

picows cuts a request line and headers that do not end within 16 KiB without a
word, and tells nobody of connections that never become a session.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from picows import WSAutoPingStrategy
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from fastrouter.net.handshake import Refused

if TYPE_CHECKING:
    from fastrouter.net.server import Server

__all__ = ["HEADER_BYTES", "Protocol"]

HEADER_BYTES = 16 * 1024  # what picows takes at most
READ_BUFFER = 1024  # bytes; picows grows it when a message needs more
TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
END = b"\r\n\r\n"


class Protocol(WSProtocol):  # type: ignore[misc]
    """One connection, from its first byte.

    Until the request is whole, what arrives passes through Python; then the
    loop is given picows's own methods, as if this class were not there.
    """

    def __init__(self, server: Server) -> None:
        endpoint = server.endpoint
        super().__init__(
            *(None, None, False, self._asked, server.quiet, True),
            endpoint.handshake_seconds,
            *(False, 20, 20, WSAutoPingStrategy.PING_WHEN_IDLE),
            False,  # the listener answers pings: they are proof of life
            endpoint.max_message_bytes,
            None,
            READ_BUFFER,
        )
        self.server = server
        self.address = ""
        self._asking = True
        self._head = _Head(endpoint.header_bytes)
        self.get_buffer = self._get_buffer
        self.buffer_updated = self._buffer_updated

    def connection_made(self, transport: Any) -> None:
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        self.server.crowd.enter(self.address)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._asking:
            self.server.unfinished += not self._head.refused
            self._hand_over()
        self.server.crowd.leave(self.address)
        super().connection_lost(error)

    def comes_from(self, address: str) -> None:
        """Behind proxies: the client's own address, which is what counts."""
        self.server.crowd.move(self.address, address)
        self.address = address

    def _asked(self, upgrade: Any) -> Any:
        return self.server.asked(self, upgrade)

    # ------------------------------------------------- until the request is whole

    def _get_buffer(self, size_hint: int) -> memoryview:
        view: memoryview = super().get_buffer(size_hint)
        self._head.view = view
        return view

    def _buffer_updated(self, count: int) -> None:
        head = self._head
        if head.refused:
            return
        whole = head.take(count)
        if head.refused:
            self._refuse_head()
            return
        if whole:
            self._hand_over()
            self.transport.underlying_transport.set_protocol(self)
        super().buffer_updated(count)

    def _hand_over(self) -> None:
        """The loop asks for the methods anew: from here on they are picows's."""
        self._asking = False
        del self._head, self.get_buffer, self.buffer_updated

    def _refuse_head(self) -> None:
        """Answer, and read on without a look: a reset would take the answer away.

        The handshake's timeout ends it.
        """
        allowed = self.server.endpoint.header_bytes
        refusal = self.server.refuse(
            Refused(TOO_LARGE, f"the request's head is too long; allowed: {allowed} bytes")
        )
        refusal.response.headers["Connection"] = "close"
        transport = self.transport.underlying_transport
        transport.write(bytes(refusal.response.to_bytes()))
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()


class _Head:
    """Looks for the end of the head as it arrives; `limit` is all its bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.refused = False
        self.view = memoryview(b"")  # where the loop writes next
        self._tail = b""
        self._size = 0

    def take(self, count: int) -> bool:
        """Whether the head is whole now; `refused` when it is too long."""
        data = self._tail + bytes(self.view[:count])
        self.view = memoryview(b"")
        end = data.find(END)
        self._size += count
        if end < 0:
            self._tail = data[-3:]
            self.refused = self._size >= self.limit
            return False
        self.refused = self._size - (len(data) - end - len(END)) > self.limit
        return not self.refused
