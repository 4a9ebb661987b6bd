from libc.stdint cimport int64_t, uint8_t, uint64_t
from libcpp.vector cimport vector

from fastrouter.core.clock cimport Clock
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.structs cimport Built, Cell, Forming, Topic


cdef class CandleBuilder:
    cdef:
        readonly tuple timeframes
        readonly uint64_t late
        Matcher matcher
        Clock clock
        vector[int64_t] lengths     # ns, by rising length
        vector[uint8_t] event_types
        int64_t grain               # what all lengths are multiples of; a minute at most
        int64_t next_close          # no candle ends before this; INT64_MAX when none forms
        int64_t next_live           # ... of symbols that are live
        bint rearm                  # next_live came nearer: the owner should look at it
        vector[Forming*] symbols
    cdef Forming* take(self, Topic* quotes, int64_t time, double price, double volume,
                       vector[Built]* closed) except? NULL
    cdef Forming* _add(self, Topic* quotes) except NULL
    cdef size_t _take_elsewhere(self, Forming* forming, int64_t time, double price,
                                double volume, vector[Built]* closed) except? 0
    cdef void _open(self, Forming* forming, size_t k, int64_t time, double price,
                    double volume) noexcept
    cdef void _note_end(self, const Forming* forming, int64_t end) noexcept
    cdef int _close(self, Forming* forming, size_t k, vector[Built]* closed) except -1
    cdef int close_until(self, int64_t now, bint live, vector[Built]* closed) except -1
    cdef size_t show(self, Forming* forming, vector[Built]* shown) except? 0
    cdef int pass_through(self, Topic* topic) except -1
