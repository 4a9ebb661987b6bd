from picows.picows cimport WSFrame, WSListener, WSTransport

from fastrouter.core.outbox cimport Outbox
from fastrouter.core.sink cimport Sink


cdef class SocketSink(Sink):
    cdef:
        int descriptor              # -1 once the connection is lost
        WSTransport transport
        Listener listener


cdef class Listener(WSListener):
    cdef:
        object server               # fastrouter.net.server.Server
        object subscriptions        # what the query string asks for; None: the server's default
        readonly object session
        readonly Outbox outbox
        readonly WSTransport transport
        SocketSink sink
        bytearray message           # fragments so far; None between messages
        bint binary
        bint closing
    cdef int receive(self, bytes message) except -1
    cdef int assemble(self, WSFrame frame) except -1
    cdef int refuse(self, int code, str reason) except -1
