"""What no quote or bar can be, in C; `rows.SENSE` says it in words. Declarations only."""

from libc.math cimport fabs, fmax, fmin, isfinite, isnan, rint
from libc.stdint cimport int64_t

from fastrouter.core.rows cimport CandleRow, QuoteRow


cdef inline double middle(double bid, double ask) noexcept nogil:
    """As `rows.mid`."""
    cdef double mid = (bid + ask) / 2.0
    return rint(mid * 1e10) / 1e10 if fabs(mid) < 9007199254740992.0 / 1e10 else mid


cdef inline int64_t judge_quotes(QuoteRow* rows, int64_t count) noexcept nogil:
    """Put the mid where `last` is NaN; the first row that makes no sense, or `count`."""
    cdef:
        int64_t i
        QuoteRow* row
    for i in range(count):
        row = &rows[i]
        if isnan(row.fields.last):
            row.fields.last = middle(row.fields.bid, row.fields.ask)
        if not (isfinite(row.fields.bid) and isfinite(row.fields.ask)
                and isfinite(row.fields.last)
                and 0 <= row.fields.bid_size and isfinite(row.fields.bid_size)
                and 0 <= row.fields.ask_size and isfinite(row.fields.ask_size)):
            return i
    return count


cdef inline int64_t judge_bars(const CandleRow* rows, int64_t count) noexcept nogil:
    """The first row that makes no sense, or `count`."""
    cdef:
        int64_t i
        const CandleRow* row
    for i in range(count):
        row = &rows[i]
        if not (isfinite(row.open) and isfinite(row.high) and isfinite(row.low)
                and isfinite(row.close) and 0 <= row.volume and isfinite(row.volume)
                and fmax(row.open, row.close) <= row.high
                and row.low <= fmin(row.open, row.close)):
            return i
    return count


cdef inline bint judge_volumes(const double* volumes, int64_t count) noexcept nogil:
    """Are all of them what can have been traded?"""
    cdef int64_t i
    for i in range(count):
        if not (0 <= volumes[i] and isfinite(volumes[i])):
            return False
    return True
