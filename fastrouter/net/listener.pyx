"""One connection: picows above the socket, a session and its outbox behind it."""

import cython

from picows.picows cimport WSFrame, WSListener, WSMsgType, WSTransport

from fastrouter.net.sinks cimport sink_of

from fastrouter.errors import CloseCode


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
        self.outbox = self.server.router.attach(self.sink, self.server.dialect)
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
        self.session = None

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
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.refuse(CloseCode.PROTOCOL_ERROR, "reserved bits are set")
        elif frame.msg_type == WSMsgType.TEXT and frame.fin and self.message is None:
            self.receive(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self._peer_closes(frame)
        elif frame.msg_type == WSMsgType.PING:
            self.session.alive(self.server.now())
            transport.send_pong(frame.get_payload_as_bytes())
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
            self.binary = frame.msg_type == WSMsgType.BINARY
        self.message += frame.get_payload_as_memoryview()
        if len(self.message) > self.server.max_message_bytes:
            return self.refuse(CloseCode.TOO_BIG, "message too big")
        if not frame.fin:
            return 0
        message = bytes(self.message)
        self.message = None
        if self.binary:
            self.server.apply(self, self.session.refuse_binary(self.server.now()))
            return 0
        return self.receive(message)

    # ------------------------------------------------------------------ close

    cdef int refuse(self, int code, str reason) except -1:
        self.close(code, reason)
        return 0

    def _peer_closes(self, WSFrame frame):
        code = frame.get_close_code()
        if not self.closing:
            self.closing = True
            self.outbox.mute()
            self.transport.send_close(code if code else CloseCode.DONE, b"")
            # a peer that does not read what the transport still holds must not hold us
            self.server.loop.call_later(self.server.close_seconds, self.abort)
        self.transport.disconnect()

    def close(self, code: int, reason: str = "") -> None:
        """Send what waits, then the close frame; cut the line if the peer does not answer."""
        if self.closing or self.transport.is_disconnected:
            return
        self.closing = True
        self.outbox.flush()
        self.outbox.mute()
        self.transport.send_close(code, reason.encode())
        self.server.log.info("closed %s: %d %s", self.session.id, code, reason)
        self.server.loop.call_later(self.server.close_seconds, self.abort)

    def abort(self) -> None:
        """Cut the line."""
        if not self.transport.is_disconnected:
            self.transport.disconnect(False)

    @property
    def waiting(self):
        """Does anything wait to be sent?"""
        return self.outbox.waiting
