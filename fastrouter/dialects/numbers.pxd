"""What quotes and candles have in common where decimals are numbers: the fields after the first."""

from fastrouter.core.structs cimport MarketFields, TopicText
from fastrouter.core.write cimport put, put_double


cdef inline char* put_after_bid(char* p, TopicText* text,
                                const MarketFields* value) noexcept nogil:
    """``,"ask":1`` to ``,"ask_size":1``."""
    p = put(p, b',"ask":', 7)
    p = put_double(p, value.quote.ask, &text.scale[1])
    p = put(p, b',"last":', 8)
    p = put_double(p, value.quote.last, &text.scale[2])
    p = put(p, b',"bid_size":', 12)
    p = put_double(p, value.quote.bid_size, &text.scale[3])
    p = put(p, b',"ask_size":', 12)
    return put_double(p, value.quote.ask_size, &text.scale[4])


cdef inline char* put_after_open(char* p, TopicText* text,
                                 const MarketFields* value) noexcept nogil:
    """``,"high":1`` to ``,"volume":1``."""
    p = put(p, b',"high":', 8)
    p = put_double(p, value.candle.high, &text.scale[1])
    p = put(p, b',"low":', 7)
    p = put_double(p, value.candle.low, &text.scale[2])
    p = put(p, b',"close":', 9)
    p = put_double(p, value.candle.close, &text.scale[3])
    p = put(p, b',"volume":', 10)
    return put_double(p, value.candle.volume, &text.scale[4])
