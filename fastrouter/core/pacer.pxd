from libc.stdint cimport int64_t
from libcpp.pair cimport pair
from libcpp.set cimport set as ordered

from fastrouter.core.clock cimport Clock
from fastrouter.core.structs cimport OutboxCold, OutboxState, StatePointer


ctypedef pair[int64_t, StatePointer] Due


cdef class Pacer:
    cdef:
        Clock timer
        ordered[Due] later      # by due time
        bint rearm              # the first of them changed: the owner should look at next_due
    cdef bint postpone(self, OutboxState* state) except -1
    cdef OutboxState* pop(self, int64_t now) noexcept
    cdef void unlist(self, OutboxState* state) noexcept
    cdef size_t round_end(self, OutboxState* state) noexcept
    cdef void round_sent(self, OutboxCold* cold) noexcept
