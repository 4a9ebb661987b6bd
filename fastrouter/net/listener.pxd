from picows.picows cimport WSFrame, WSListener, WSTransport

from fastrouter.core.outbox cimport Outbox
from fastrouter.core.taker cimport Taker
from fastrouter.net.sinks cimport PeerSink


cdef class Listener(WSListener):
    cdef:
        readonly object server      # fastrouter.net.server.Server
        object arrival              # fastrouter.net.handshake.Arrival; None once it has begun
        readonly str address        # the client's, behind however many proxies
        readonly str path
        readonly long long connected_at     # Unix ns
        readonly object session
        readonly Outbox outbox
        public Taker taker          # sees each text message before the session; or None
        readonly WSTransport transport
        PeerSink sink
        bytearray message           # fragments so far; None between messages
        object text                 # decoder of the message in fragments; None: it is binary
        bint closing
    cdef int receive(self, bytes message) except -1
    cdef int assemble(self, WSFrame frame) except -1
    cdef bint check_text(self, WSFrame frame) except -1
    cdef int peer_closes(self, WSFrame frame) except -1
    cdef int refuse(self, int code, str reason) except -1
