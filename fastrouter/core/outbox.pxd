from libc.stddef cimport size_t
from libcpp.unordered_set cimport unordered_set

from fastrouter.core.dialect cimport Dialect
from fastrouter.core.flusher cimport Flusher
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.record cimport Record
from fastrouter.core.sink cimport Sink
from fastrouter.core.structs cimport Group, OutboxState, Topic


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
    cdef int number_of(self, Dialect dialect) except -1
    cdef int send_waiting(self) except -1
    cdef int owe_snapshots(self, list joined) except -1
    cdef int owe_snapshot(self, Topic* topic) except -1
    cdef size_t append_record(self, Record record,
                              const unordered_set[Group*]* held) except? 0
    cdef int append_again(self, bytes frame) except -1
    cdef int forget_unmatched(self) except -1
