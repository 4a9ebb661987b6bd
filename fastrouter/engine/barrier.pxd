from libc.stdint cimport uint32_t, uint64_t

from fastrouter.core.tap cimport Tap


cdef class Barrier(Tap):
    cdef:
        readonly uint32_t window
        readonly uint64_t batch         # number of the one that is published, or was last
        readonly bint half              # it is published in part
        readonly uint32_t holding       # members that owe `window` batches
        readonly uint32_t unfinished    # batches that members owe, of all together
        readonly uint32_t away          # members without a connection
        uint64_t newest                 # id of the last event
    cdef bint closed(self) noexcept
    cdef int proceed(self) except -1
