from libc.stdint cimport int64_t
from libcpp.vector cimport vector

from fastrouter.core.candles cimport CandleBuilder
from fastrouter.core.clock cimport Clock
from fastrouter.core.structs cimport Built, Forming, Topic


cdef class Showing:
    cdef:
        Clock timer
        CandleBuilder builder
        vector[Forming*] symbols    # whose built candles changed since they were sent
        size_t known                # those of them before this place have a turn already
        vector[Topic*] topics       # whose candle from outside came too soon
        int64_t due                 # timer when the first turn comes, ns; INT64_MAX: nothing waits
        bint rearm                  # due came nearer: the owner should look at it
    cdef int changed(self, Forming* forming) except -1
    cdef bint too_soon(self, Topic* topic) except -1
    cdef int show_new(self, vector[Built]* shown) except -1
    cdef int show_due(self, vector[Built]* shown) except -1
    cdef int _show_symbols(self, size_t first, int64_t now, vector[Built]* shown) except -1
    cdef int _show_topics(self, int64_t now, vector[Built]* shown) except -1
    cdef void _wait_until(self, int64_t due) noexcept


cdef inline bint is_new(Showing showing) noexcept:
    """Did candles change that have no turn yet?"""
    return showing.known < showing.symbols.size()
