from cpython.buffer cimport Py_buffer
from libc.stdint cimport uint8_t
from libcpp.vector cimport vector

from fastrouter.core.matcher cimport Matcher
from fastrouter.core.rows cimport CandleRow, QuoteRow
from fastrouter.core.structs cimport CandleFields


cdef class Batch:
    cdef:
        Py_buffer view
        bint is_held            # the view
        const QuoteRow* quotes  # NULL when they are candles
        const CandleRow* candles
        readonly Py_ssize_t count
        vector[uint8_t] event_types         # of the candles
        object owner            # of the volumes
        const double* volumes   # of the quotes; NULL: 1 each
    cdef int check_volumes(self, volumes) except -1
    cdef int check_quotes(self, Matcher matcher) except -1
    cdef int check_candles(self, Matcher matcher) except -1


cdef inline void candle_fields(const CandleRow* row, CandleFields* fields) noexcept:
    fields.open = row.open
    fields.high = row.high
    fields.low = row.low
    fields.close = row.close
    fields.volume = row.volume
    fields.time = row.time
    fields.closed = row.closed
