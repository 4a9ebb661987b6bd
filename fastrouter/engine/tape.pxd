from libc.stdint cimport int64_t, uint8_t
from libcpp.vector cimport vector

from fastrouter.core.batch cimport Batch
from fastrouter.core.router cimport Router
from fastrouter.core.rows cimport CandleRow, QuoteRow


cdef struct Part:               # of a stretch: a file's rows
    const QuoteRow* quotes      # NULL when they are candles
    const CandleRow* candles
    const uint8_t* event_types  # of the candles
    const double* volumes       # of the quotes; NULL when no column tells
    size_t next, count          # the next is that was not taken yet


cdef class Tape:
    cdef:
        object stock            # deque of stretches
        public object on_hunger  # called without arguments when one is begun and few are left
        const int64_t[::1] times
        const int64_t[::1] whose
        bint in_row             # the parts, one after the other; `whose` is not set
        size_t part             # then the one that is taken of
        list batches            # they own the rows
        vector[Part] parts
        size_t at, count        # rows of the stretch
        readonly bint ended     # no more stretches will come
        readonly int64_t time   # of the newest instant that was begun, ns
    cdef int load(self, Router router) except -1
    cdef bint begin(self, Router router) except -1
    cdef Part* taken_of(self) noexcept
    cdef bint publish(self, Router router) except -1
