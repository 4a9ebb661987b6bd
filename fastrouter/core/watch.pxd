from libc.stdint cimport int64_t
from libcpp.deque cimport deque

from fastrouter.core.matcher cimport Matcher
from fastrouter.core.structs cimport MarketFields, Topic


cdef struct Seen:               # a quote or closed candle, as it was published
    Topic* topic
    int64_t time                # ns since the epoch
    MarketFields value


cdef class Watch:
    cdef:
        Matcher matcher
        deque[Seen] seen
        public object wake
    cdef int _mark_candles(self, const Topic* quotes, bint watched) except -1
    cdef int note(self, const Topic* topic) except -1
    cdef int joined(self, Topic* topic) except -1
    cdef bint tells(self, const Topic* topic) noexcept
    cdef const Topic* shortest(self, const char* symbol, size_t size, int64_t below) noexcept
