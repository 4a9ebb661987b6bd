"""What all sessions together hold for single ones, and how much that may be."""

from libc.stdint cimport uint64_t

import cython

from fastrouter.core.state cimport own_bytes


@cython.final
cdef class Budget:
    """Bytes of control messages and backlogs; who holds most gives way when they are too many."""

    def __cinit__(self, uint64_t limit):
        self.limit = limit

    cdef OutboxState* largest(self) noexcept:
        """The session that holds most bytes. There are some."""
        cdef:
            OutboxState* found = NULL
            OutboxState* state
        for state in self.states:
            if found == NULL or own_bytes(state.cold) > own_bytes(found.cold):
                found = state
        return found
