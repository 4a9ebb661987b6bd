"""How bytes reach a peer: straight to its descriptor, or through TLS.

===============  ==========================  ==================================
sink             one visit is                "full" is
===============  ==========================  ==================================
SocketSink       one ``send``                what ``send`` does not take, and
                                             until the transport's buffer is empty
TransportSink    one write to the transport  ``pause_writing``: the transport
                                             below TLS holds 64 KiB, and then some
===============  ==========================  ==================================
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno

import cython

from fastrouter.errors import CloseCode


cdef extern from "<sys/socket.h>" nogil:
    enum:
        MSG_DONTWAIT
        MSG_NOSIGNAL
    Py_ssize_t send(int descriptor, const void* data, size_t size, int flags) noexcept


cdef PeerSink sink_of(WSTransport transport, listener):
    """The sink that fits a connection. It sets what ``pause_writing`` means for it."""
    cdef:
        PeerSink sink = TransportSink() if transport.is_secure else SocketSink()
        object underlying = transport.underlying_transport
    sink.transport = transport
    sink.listener = listener
    if transport.is_secure:
        # TLS compares with >=: 0 would pause a transport that holds nothing
        underlying.set_write_buffer_limits(high=1, low=0)
    else:
        (<SocketSink>sink).descriptor = transport._socket
        # "the kernel buffer is full" is what pause_writing means from here on
        underlying.set_write_buffer_limits(high=0)
    return sink


cdef class PeerSink(Sink):
    """What both have in common. Made by `sink_of`."""

    cdef void overflow(self) noexcept:
        self.listener.server.loop.call_soon(
            self.listener.close, CloseCode.SLOW_CONSUMER, "slow consumer")

    cdef void drained(self) noexcept:
        if self.listener is not None:
            self.listener.server.drained(self.listener)

    cdef void lose(self) noexcept:
        """The connection is gone, and with it the cycle of listener and sink."""
        self.transport = None
        self.listener = None


@cython.final
cdef class SocketSink(PeerSink):
    """Writes to the descriptor; what the kernel does not take goes to the transport.

    Whenever the transport holds bytes, its outbox is blocked, so that a direct
    write never overtakes them.
    """

    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept:
        cdef Py_ssize_t taken
        if self.transport is None or self.transport.is_close_frame_sent:
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


@cython.final
cdef class TransportSink(PeerSink):
    """Hands a visit's bytes to the transport, which encrypts them: all or nothing.

    The transport takes whatever it is given, so it is ``pause_writing`` that
    blocks the outbox, inside `write` already when the peer does not read: more
    than one visit never waits on top of what is below TLS.
    """

    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept:
        if self.transport is None or self.transport.is_close_frame_sent:
            return -1
        try:
            self.transport.underlying_transport.write(PyBytes_FromStringAndSize(data, size))
        except Exception as error:
            self.listener.server.log.warning("write failed: %s", error)
            return -1
        return size
