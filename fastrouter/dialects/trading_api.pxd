from libc.stdint cimport int64_t

from fastrouter.core.clib cimport fr_second_cache
from fastrouter.core.dialect cimport Dialect


cdef class TradingApi(Dialect):
    cdef:
        fr_second_cache second          # of the envelope
        fr_second_cache open_second     # of candles
        readonly bint strings           # decimals are JSON strings
    cdef char* close_envelope(self, char* p, int64_t time, bint snapshot) noexcept
