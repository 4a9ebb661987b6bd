from picows.picows cimport WSTransport

from fastrouter.core.sink cimport Sink


cdef class PeerSink(Sink):
    cdef:
        WSTransport transport       # None once the connection is lost
        object listener             # fastrouter.net.listener.Listener
    cdef void lose(self) noexcept


cdef class SocketSink(PeerSink):
    cdef int descriptor


cdef class TransportSink(PeerSink):
    pass


cdef PeerSink sink_of(WSTransport transport, listener)
