from fastrouter.core.clib cimport fr_second_cache
from fastrouter.core.dialect cimport Dialect
from fastrouter.core.structs cimport Stamp


cdef class Wrapped(Dialect):
    cdef:
        fr_second_cache second          # of the envelope
        fr_second_cache open_second     # of candles
        readonly str body_key
        readonly dict makers
        readonly dict readers
    cdef char* close_envelope(self, char* p, const Stamp* stamp, bint snapshot) noexcept
