from libc.math cimport fabs, rint
from libc.stdint cimport int64_t, uint64_t

from fastrouter.core.structs cimport CandleFields, QuoteFields


cdef class Quote:
    cdef:
        readonly str symbol
        readonly int64_t time       # ns since the epoch
        readonly uint64_t id
        readonly uint64_t seq
        readonly bint snapshot
        QuoteFields fields


cdef class Candle:
    cdef:
        readonly str symbol
        readonly str timeframe
        readonly uint64_t id
        readonly uint64_t seq
        readonly bint snapshot
        CandleFields fields


cdef class Event:
    cdef:
        readonly str kind
        readonly object payload
        readonly str symbol
        readonly str account        # whose it is; "" when it is nobody's
        readonly int64_t time       # ns since the epoch
        readonly uint64_t id


cdef int check_quote(const QuoteFields* fields) except -1
cdef int check_candle(const CandleFields* fields) except -1


cdef enum:
    MID_DECIMALS = 10000000000      # 10**10


cdef inline double middle(double bid, double ask) noexcept:
    """The mid price, rounded to 10 decimals so that it prints as short as its sides."""
    cdef double mid = bid + (ask - bid) / 2
    if fabs(mid) < 1e5:
        mid = rint(mid * MID_DECIMALS) / MID_DECIMALS
    return mid
