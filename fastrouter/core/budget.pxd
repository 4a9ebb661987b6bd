from libc.stdint cimport uint64_t
from libcpp.unordered_set cimport unordered_set

from fastrouter.core.structs cimport OutboxState, StatePointer


cdef class Budget:
    cdef:
        uint64_t held           # bytes
        uint64_t limit
        unordered_set[StatePointer] states      # of all sessions
    cdef OutboxState* largest(self) noexcept
