"""picows's protocol, watched: its request bounded, its frames behind a gate, one at a time.

picows cuts a request line and headers that do not end within 16 KiB without a
word, and tells nobody of connections that never become a session. Of frames it
looks one ahead: see `fastrouter.net.gate`. How much is read: `fastrouter.net.pace`.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from picows import WSAutoPingStrategy
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from fastrouter.net.express import Express
from fastrouter.net.gate import Gate
from fastrouter.net.handshake import Refused
from fastrouter.net.pace import Pace

if TYPE_CHECKING:
    from fastrouter.net.listener import Listener
    from fastrouter.net.server import Server

__all__ = ["HEADER_BYTES", "Protocol"]

HEADER_BYTES = 16 * 1024  # what picows takes at most
READ_BUFFER = 1024  # bytes; picows grows it when a message needs more
TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
END = b"\r\n\r\n"
NOTHING = memoryview(b"")


class Protocol(WSProtocol):  # type: ignore[misc]
    """One connection, from its first byte.

    `address` is that of one which the server has let in already.
    """

    def __init__(self, server: Server, address: str | None = None) -> None:
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
        self.address = address or ""
        self.made = False  # did the loop hand it a transport?
        self._head: _Head | None = _Head(endpoint.header_bytes)  # None once it is whole
        self._gate = Gate(endpoint.max_message_bytes)
        self._room = NOTHING
        self._in = address is not None  # does it count?
        self._was_asked = False  # did picows understand its request?
        self._pace: Pace | None = None  # while there is a connection

    def connection_made(self, transport: Any) -> None:
        self.made = True
        super().connection_made(transport)
        if not self._in:
            self.address = self.server.address_of(transport.get_extra_info("peername"))
            self._in = self.server.lets_in(self.address)
        if self._in:
            self._pace = Pace(transport, self.server.loop)
        else:
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._in:
            self._leave()
        super().connection_lost(error)

    def _leave(self) -> None:
        self.server.leave(self.address, self._head is None or self._head.refused)
        if self._pace is not None:
            self._pace.stop()
            self._pace = None  # it holds the transport

    def comes_from(self, address: str) -> None:
        """Behind proxies: the client's own address, which is what counts."""
        self.server.crowd.move(self.address, address)
        self.address = address

    def let_run(self) -> None:
        """Read all that it sends: it is not live, and waits for us."""
        if self._pace is not None:
            self._pace.stop()
            self._pace = None

    def shorten(self, listener: Listener) -> None:
        """Have the taker of its listener see messages before all this."""
        transport = self.transport.underlying_transport
        secure = transport.get_extra_info("ssl_object") is not None
        if self._gate.between and listener.between and not secure and not transport.is_closing():
            transport.set_protocol(_Shortened(self, listener))

    def _asked(self, upgrade: Any) -> Any:
        self._was_asked = True
        return self.server.asked(self, upgrade)

    # ------------------------------------------------------------------- reading

    def get_buffer(self, size_hint: int) -> memoryview:
        """Where the loop reads to."""
        self._room = super().get_buffer(size_hint)
        return self._room

    def data_received(self, data: bytes) -> None:
        """Take bytes that somebody else has read.

        (It has to be there for uvloop, too: for want of it a transport would
        keep that of the protocol before, and so the protocol.)
        """
        news = memoryview(data)
        while news and not self.transport.underlying_transport.is_closing():
            room = self.get_buffer(-1)
            count = min(len(room), len(news))
            room[:count] = news[:count]
            news = news[count:]
            self.buffer_updated(count)

    def buffer_updated(self, count: int) -> None:
        """The loop has read `count` bytes."""
        if self._pace is not None:
            self._pace.take(count)
        news, self._room = self._room[:count], NOTHING
        begins = self._head is not None
        if self._gate.broken or (self._head is not None and self._refuses(self._head, news)):
            return
        taken = self._gate.take(news)
        if taken == count:
            super().buffer_updated(count)
        else:
            self._one_by_one(memoryview(bytes(news)), taken)
        if begins and self._head is None and not self._was_asked:
            self.server.refusals[HTTPStatus.BAD_REQUEST] += 1  # picows has answered by itself

    def _refuses(self, head: _Head, news: memoryview) -> bool:
        """Is this of a head that is too long?"""
        if head.refused:
            return True
        if head.take(bytes(news)):
            self._head = None
        elif head.refused:
            self._refuse_head()
        return head.refused

    def _one_by_one(self, news: memoryview, taken: int) -> None:
        """Hand on the frames of `news`; the first is `taken` bytes long, and in place already."""
        if taken:
            super().buffer_updated(taken)
        while not self._gate.broken and taken < len(news):
            if self.transport.underlying_transport.is_closing():
                return
            room = super().get_buffer(-1)
            piece = news[taken : taken + len(room)]
            size = self._gate.take(piece)
            if size:
                room[:size] = piece[:size]
                super().buffer_updated(size)
            taken += size
        if self._gate.broken and self.listener is not None:
            self.listener.fail(*self._gate.broken)

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


class _Shortened(Express, asyncio.BufferedProtocol):
    """What every loop takes for a protocol."""


class _Head:
    """Looks for the end of the head as it arrives; `limit` is all its bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.refused = False
        self._tail = b""
        self._size = 0

    def take(self, news: bytes) -> bool:
        """Whether the head is whole now; `refused` when it is too long."""
        data = self._tail + news
        end = data.find(END)
        self._size += len(news)
        if end < 0:
            self._tail = data[-3:]
            self.refused = self._size >= self.limit
            return False
        self.refused = self._size - (len(data) - end - len(END)) > self.limit
        return not self.refused
