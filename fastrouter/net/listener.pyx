"""One connection: picows above the socket, a session and its outbox behind it."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno

import cython

from picows.picows cimport WSFrame, WSListener, WSMsgType, WSTransport

from fastrouter.core.sink cimport Sink

from fastrouter.errors import CloseCode


cdef extern from "<sys/socket.h>" nogil:
    enum:
        MSG_DONTWAIT
        MSG_NOSIGNAL
    Py_ssize_t send(int descriptor, const void* data, size_t size, int flags) noexcept


@cython.final
cdef class SocketSink(Sink):
    """Writes to the descriptor; what the kernel does not take goes to the transport.

    Whenever the transport holds bytes, its outbox is blocked, so that a direct
    write never overtakes them.
    """

    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept:
        cdef Py_ssize_t taken
        if self.descriptor < 0 or self.transport.is_close_frame_sent:
            return -1
        taken = send(self.descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
        if taken >= 0:
            return taken
        return 0 if errno in (EAGAIN, EINTR, ENOBUFS) else -1

    cdef bint finish(self, const char* data, Py_ssize_t size) noexcept:
        try:
            underlying = self.transport.underlying_transport
            underlying.write(PyBytes_FromStringAndSize(data, size))
            return underlying.get_write_buffer_size() > 0
        except Exception as error:
            self.listener.server.log.warning("write failed: %s", error)
            return True

    cdef void overflow(self) noexcept:
        self.listener.server.loop.call_soon(
            self.listener.close, CloseCode.SLOW_CONSUMER, "slow consumer")


@cython.final
cdef class Listener(WSListener):
    """The picows listener of one session; made by the server at the handshake."""

    def __init__(self, server, subscriptions):
        self.server = server
        self.subscriptions = subscriptions

    cpdef on_ws_connected(self, WSTransport transport):
        underlying = transport.underlying_transport
        self.transport = transport
        self.sink = SocketSink()
        self.sink.transport = transport
        self.sink.listener = self
        self.sink.descriptor = transport._socket
        # kilobytes an idle session need not keep
        transport.request = transport.response = None
        self.outbox = self.server.router.attach(self.sink, self.server.dialect)
        # "the kernel buffer is full" is what pause_writing means from here on
        underlying.set_write_buffer_limits(high=0)
        if underlying.get_write_buffer_size():              # the handshake's answer goes first
            self.outbox.block()
            self.server.loop.call_soon(self._unblock)
        self.session = self.server.connected(self, self.subscriptions)

    def _unblock(self):
        if self.transport.is_disconnected:
            return
        if self.transport.underlying_transport.get_write_buffer_size():
            self.server.loop.call_soon(self._unblock)
        else:
            self.outbox.resume()

    cpdef on_ws_disconnected(self, WSTransport transport):
        self.sink.descriptor = -1
        self.outbox.close()
        self.server.disconnected(self)
        self.session = None
        self.sink.listener = None                           # the cycle ends here

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
    def address(self):
        """The peer's host and port, or None."""
        return self.transport.underlying_transport.get_extra_info("peername")
