from libc.stddef cimport size_t
from libc.stdint cimport uint32_t
from libcpp.vector cimport vector

from fastrouter.core.matcher cimport Matcher
from fastrouter.core.structs cimport Topic


cdef class RunPrices:
    cdef:
        Matcher matcher
        object names                # `broker.Prices`, for the symbols alone
        size_t next                 # topic that was not looked at yet
        vector[Topic*] waiting      # topics without a value: somebody is subscribed to them
    cdef int look(self) except -1
    cdef const Topic* newest(self, str symbol) except? NULL
