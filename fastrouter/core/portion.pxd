from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from fastrouter.core.budget cimport Budget
from fastrouter.core.counts cimport Counts
from fastrouter.core.encoder cimport Encoder
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.structs cimport Bytes, OutboxCold, OutboxState


cdef struct Owed:               # a topic's value, composed but not yet taken by the sink
    size_t end                  # of its frame in the composed bytes
    size_t next                 # dirty_head once it is taken


cdef class Portion:
    cdef:
        Encoder encoder
        Matcher matcher
        Budget budget
        Bytes composed
        size_t control          # where control messages end in them
        size_t queued           # where the backlog does
        vector[Owed] owed
    cdef int begin(self, OutboxCold* cold) except -1
    cdef int compose(self, OutboxCold* cold, size_t end, Counts* counts) except -1
    cdef int _add_backlog(self, OutboxCold* cold) except -1
    cdef int _add_owed(self, OutboxCold* cold, size_t end, Counts* counts) except -1
    cdef int _add_value(self, OutboxCold* cold, uint32_t index, Counts* counts) except -1
    cdef void control_sent(self, OutboxState* state, size_t size) noexcept
    cdef uint32_t backlog_sent(self, OutboxCold* cold, size_t size) noexcept
    cdef uint32_t owed_sent(self, OutboxCold* cold, size_t size) noexcept
