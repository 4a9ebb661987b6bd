from fastrouter.core.dialect cimport Dialect
from fastrouter.core.flusher cimport Flusher
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.sink cimport Sink
from fastrouter.core.structs cimport Group, OutboxState


cdef class Outbox:
    cdef:
        OutboxState* state
        Flusher flusher
        Matcher matcher
        set owner                   # the router's outboxes
        readonly Sink sink
        readonly Dialect dialect
        object __weakref__
    cdef int check_open(self) except -1
    cdef Py_ssize_t place(self, Group* group) noexcept
    cdef int send_waiting(self) except -1
    cdef int owe_snapshots(self, list joined) except -1
    cdef int forget_unmatched(self) except -1
