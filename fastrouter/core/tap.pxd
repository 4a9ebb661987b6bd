from libc.stdint cimport uint64_t

from fastrouter.core.structs cimport Topic


cdef class Tap:
    cdef int market(self, Topic* topic) except -1
    cdef int event(self, uint64_t number, event) except -1
