from libc.stdint cimport int64_t, uint8_t
from libcpp.vector cimport vector

from fastrouter.core.clib cimport fr_intern, fr_scan


cdef class Scanner:
    cdef:
        fr_scan plan
        fr_intern[2] texts          # of the text columns: a table for each
        vector[vector[uint8_t]] good    # by a text's number: may it be used?
        list faults                 # of each table: a text -> why it may not, or None
        object dtype
        bytes blank
        bint has_volumes
    cdef int plan_column(self, int i, name, bint may_be_empty) except -1
    cdef int64_t fill(self, bytes text, int64_t count, char* rows, double* volumes) except? -2
    cdef int decide(self) except -1
