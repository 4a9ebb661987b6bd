from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t
from libcpp.vector cimport vector

from fastrouter.core.encoder cimport Encoder
from fastrouter.core.structs cimport MarketFields, Stamp, Topic


cdef struct Moment:
    Topic* topic                # NULL: not a quote or candle, the event is in `others`
    Stamp stamp
    MarketFields value


cdef class Kept:
    cdef:
        vector[Moment] moments  # by id; those before `head` are forgotten
        size_t head
        dict others
    cdef int note(self, Topic* topic) except -1
    cdef int note_event(self, uint64_t number, event) except -1
    cdef int forget_before(self, uint64_t number) except -1
    cdef int clear(self) except -1
    cdef size_t size(self) noexcept
    cdef size_t place(self, uint64_t number) noexcept
    cdef bytes frame(self, size_t place, Encoder encoder, uint8_t dialect)
