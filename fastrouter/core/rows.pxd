"""The rows of `fastrouter.core.dtypes` as C structs. Declarations only."""

from libc.stdint cimport int64_t, uint8_t

from fastrouter.core.structs cimport QuoteFields


cdef extern from "<string.h>" nogil:
    size_t strnlen(const char* text, size_t most) noexcept      # symbols are NUL-padded


cdef packed struct QuoteRow:            # QUOTE_DTYPE
    char symbol[32]
    int64_t time
    QuoteFields fields


cdef packed struct CandleRow:           # CANDLE_DTYPE
    char symbol[32]
    char timeframe[8]
    int64_t time
    double open
    double high
    double low
    double close
    double volume
    uint8_t closed
