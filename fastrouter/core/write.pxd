"""Cursor writes for C encoders: each appends at `p` and returns the new end."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fastrouter.core.clib cimport (
    fr_second_cache, fr_write_double, fr_write_iso8601, fr_write_iso8601_short, fr_write_ms,
    fr_write_u64,
)
from fastrouter.core.structs cimport TEXT_CHUNK, TopicText


cdef inline char* put(char* p, const char* text, size_t size) noexcept nogil:
    memcpy(p, text, size)
    return p + size


cdef inline char* put_topic(char* p, const TopicText* text) noexcept nogil:
    """In chunks of a size known here, so that no call is made; may scribble past the end."""
    cdef uint32_t at = TEXT_CHUNK
    memcpy(p, text.data, TEXT_CHUNK)
    while at < text.size:
        memcpy(p + at, text.data + at, TEXT_CHUNK)
        at += TEXT_CHUNK
    return p + text.size


cdef inline char* put_u64(char* p, uint64_t value) noexcept nogil:
    return p + fr_write_u64(p, value)


cdef inline char* put_double(char* p, double value, uint8_t* scale) noexcept nogil:
    return p + fr_write_double(p, value, scale)


cdef inline char* put_time(char* p, int64_t ns, fr_second_cache* cache) noexcept nogil:
    return p + fr_write_iso8601(p, ns, cache)


cdef inline char* put_short_time(char* p, int64_t ns, fr_second_cache* cache) noexcept nogil:
    """Without a fraction that is 0; may scribble past the end."""
    return p + fr_write_iso8601_short(p, ns, cache)


cdef inline char* put_ms(char* p, int64_t ns) noexcept nogil:
    return p + fr_write_ms(p, ns)
