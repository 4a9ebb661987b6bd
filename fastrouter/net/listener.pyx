"""One connection: picows above the socket, a session and its outbox behind it."""

import cython

from picows.picows cimport WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from fastrouter.core.clib cimport fr_utf8_valid
from fastrouter.net.sinks cimport sink_of

import codecs

from fastrouter.errors import CloseCode

TextDecoder = codecs.getincrementaldecoder("utf-8")
NOT_UTF8 = "text is not UTF-8"                              # RFC 6455, 8.1
REASON_BYTES = 123                                          # of a close frame; 5.5


cdef inline bint may_be_sent(int code) noexcept:
    """Is this a code that a close frame may carry (RFC 6455, 7.4; IANA's registry)?"""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


@cython.final
cdef class Listener(WSListener):
    """The picows listener of one session; made by the server at the handshake."""

    def __init__(self, server, arrival):
        self.server = server
        self.arrival = arrival

    cpdef on_ws_connected(self, WSTransport transport):
        self.transport = transport
        self.sink = sink_of(transport, self)
        # kilobytes an idle session need not keep
        transport.request = transport.response = None
        seat = self.arrival.seat
        router = self.server.router if seat is None else seat.router
        self.outbox = router.attach(self.sink, self.arrival.terms.dialect)
        if transport.underlying_transport.get_write_buffer_size():
            # the handshake's answer goes first
            self.outbox.block()
            self.server.loop.call_soon(self._unblock)
        arrival, self.arrival = self.arrival, None
        self.address = arrival.address
        self.path = arrival.path
        self.connected_at = self.server.router.clock.time_ns()
        self.session = self.server.connected(self, arrival)
        self.server.begin(self, arrival)

    def _unblock(self):
        if self.transport.is_disconnected:
            return
        if self.transport.underlying_transport.get_write_buffer_size():
            self.server.loop.call_soon(self._unblock)
        else:
            self.outbox.resume()

    cpdef on_ws_disconnected(self, WSTransport transport):
        self.sink.lose()
        self.outbox.close()
        self.server.disconnected(self)
        self.session = self.taker = None

    cpdef pause_writing(self):
        if self.outbox is not None:
            self.outbox.block()

    cpdef resume_writing(self):
        if self.outbox is not None:
            self.outbox.resume()

    # ---------------------------------------------------------------- receive

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        if frame.msg_type != WSMsgType.CLOSE and (self.closing or transport.is_close_frame_sent):
            return                                          # picows closes by itself, too
        if frame.msg_type == WSMsgType.TEXT and frame.fin and self.message is None:
            if self.taker is not None and self.taker.take(frame.payload_ptr, frame.payload_size):
                return
            if not fr_utf8_valid(frame.payload_ptr, frame.payload_size):
                self.refuse(CloseCode.INVALID_TEXT, NOT_UTF8)
            else:
                self.receive(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self.peer_closes(frame)
        elif frame.msg_type == WSMsgType.PING:
            self.session.alive(self.server.now())
            # bounded like all else that waits for this peer, should it not read its pongs
            self.outbox.control(frame.get_payload_as_bytes(), WSMsgType.PONG)
        elif frame.msg_type == WSMsgType.PONG:
            self.session.alive(self.server.now())
        else:
            self.assemble(frame)

    cdef int receive(self, bytes message) except -1:
        effect = self.session.receive(message, self.server.now())
        if effect is not None:
            self.server.apply(self, effect)
        return 0

    cdef int assemble(self, WSFrame frame) except -1:
        """Fragments and binary messages (RFC 6455, 5.4)."""
        cdef bytes message
        if frame.msg_type == WSMsgType.CONTINUATION:
            if self.message is None:
                return self.refuse(CloseCode.PROTOCOL_ERROR, "continuation of nothing")
        elif self.message is not None:
            return self.refuse(CloseCode.PROTOCOL_ERROR, "a message begins inside another")
        else:
            self.message = bytearray()
            self.text = TextDecoder() if frame.msg_type == WSMsgType.TEXT else None
        if len(self.message) + frame.payload_size > self.server.max_message_bytes:
            return self.refuse(CloseCode.TOO_BIG, "message too big")
        self.message += frame.get_payload_as_memoryview()
        if self.text is not None and not self.check_text(frame):
            return self.refuse(CloseCode.INVALID_TEXT, NOT_UTF8)
        if not frame.fin:
            return 0
        message = bytes(self.message)
        self.message = None
        if self.text is not None:
            self.text = None
            return self.receive(message)
        self.server.apply(self, self.session.receive_binary(message, self.server.now()))
        return 0

    cdef bint check_text(self, WSFrame frame) except -1:
        """Can this fragment be part of a text in UTF-8? A character may span two of them."""
        try:
            self.text.decode(frame.get_payload_as_bytes(), frame.fin)
        except UnicodeDecodeError:
            return False
        return True

    # ------------------------------------------------------------------ close

    cdef int refuse(self, int code, str reason) except -1:
        self.close(code, reason)
        return 0

    cdef int peer_closes(self, WSFrame frame) except -1:
        cdef int code = CloseCode.DONE
        if frame.payload_size:
            code = frame.get_close_code()
        if not self.closing:
            if not may_be_sent(code):
                code = CloseCode.PROTOCOL_ERROR
            self.closing = True
            self.outbox.flush()
            self.outbox.mute()
            self.transport.send_close(<WSCloseCode>code, b"")
            # a peer that does not read what the transport still holds must not hold us
            self.server.loop.call_later(self.server.close_seconds, self.abort)
        self.transport.disconnect()
        return 0

    def close(self, code: int, reason: str = "") -> None:
        """Send what waits, then the close frame; cut the line if the peer does not answer.

        Of a reason that is too long for a frame the beginning is sent.
        """
        if self.closing or self.transport.is_disconnected:
            return
        self.closing = True
        self.outbox.flush()
        self.outbox.mute()
        self.transport.send_close(
            code, reason.encode()[:REASON_BYTES].decode(errors="ignore").encode())
        self.server.log.info("closed %s: %d %s", self.session.id, code, reason)
        self.server.loop.call_later(self.server.close_seconds, self.abort)

    def fail(self, code: int, reason: str) -> None:
        """Close a connection whose bytes make no sense any more.

        Nobody reads them, a close frame neither: say that we are done, and wait
        for the peer to hang up. (To hang up on bytes not read would lose ours.)
        """
        if self.transport is None or self.transport.is_disconnected:
            return
        self.close(code, reason)
        underlying = self.transport.underlying_transport
        if underlying.can_write_eof():
            underlying.write_eof()
        else:
            self.transport.disconnect()

    def abort(self) -> None:
        """Cut the line."""
        if not self.transport.is_disconnected:
            self.transport.disconnect(False)

    @property
    def between(self):
        """Is there no message in fragments?"""
        return self.message is None

    @property
    def waiting(self):
        """Does anything wait to be sent?"""
        return self.outbox.waiting
