"""Growable bytes, and the WebSocket frame header in front of a payload (RFC 6455, 5.2)."""

from libc.stdint cimport uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from fastrouter.core.structs cimport Bytes


cdef enum:
    TEXT = 0x1
    PING = 0x9
    MAX_HEADER = 10


cdef inline size_t header_size(size_t payload) noexcept nogil:
    """Bytes of the unmasked header in front of `payload` bytes: 2, 4 or 10."""
    return 2 if payload < 126 else 4 if payload < 65536 else 10


cdef inline size_t write_header(char* out, int opcode, size_t payload) noexcept nogil:
    """Write the header of one unfragmented, unmasked frame; return its size in bytes."""
    cdef int i
    out[0] = <char>(0x80 | opcode)
    if payload < 126:
        out[1] = <char>payload
        return 2
    if payload < 65536:
        out[1] = 126
        out[2] = <char>(payload >> 8)
        out[3] = <char>(payload & 0xFF)
        return 4
    out[1] = 127
    for i in range(8):
        out[2 + i] = <char>((payload >> (56 - 8 * i)) & 0xFF)
    return 10


cdef inline size_t frame_size(const char* frame) noexcept nogil:
    """Size in bytes, header included, of the unmasked frame that starts at `frame`."""
    cdef:
        size_t size = <uint8_t>frame[1]
        int i
    if size < 126:
        return 2 + size
    if size == 126:
        return 4 + ((<size_t><uint8_t>frame[2] << 8) | <uint8_t>frame[3])
    size = 0
    for i in range(8):
        size = (size << 8) | <uint8_t>frame[2 + i]
    return 10 + size


cdef inline size_t bytes_size(const Bytes* self) noexcept nogil:
    return self.end - self.start


cdef inline char* bytes_reserve(Bytes* self, size_t size) noexcept nogil:
    """Room for `size` more bytes at the end, NULL without memory. Advance `end` after writing."""
    cdef:
        size_t capacity
        char* grown
    if self.start == self.end:
        self.start = self.end = 0
    if self.capacity - self.end < size and self.start:
        memmove(self.data, self.data + self.start, self.end - self.start)
        self.end -= self.start
        self.start = 0
    if self.capacity - self.end < size:
        capacity = max(2 * self.capacity, self.end + size, <size_t>256)
        grown = <char*>realloc(self.data, capacity)
        if grown == NULL:
            return NULL
        self.data = grown
        self.capacity = capacity
    return self.data + self.end


cdef inline int bytes_append(Bytes* self, const char* data, size_t size) except -1:
    if size == 0:               # `data` may be NULL
        return 0
    cdef char* out = bytes_reserve(self, size)
    if out == NULL:
        raise MemoryError()
    memcpy(out, data, size)
    self.end += size
    return 0


cdef inline void bytes_free(Bytes* self) noexcept nogil:
    free(self.data)
    self.data = NULL
    self.start = self.end = self.capacity = 0


cdef inline void bytes_consume(Bytes* self, size_t size) noexcept nogil:
    """Forget the first `size` bytes; an emptied buffer gives its memory back."""
    self.start += size
    if self.start == self.end:
        bytes_free(self)


cdef inline int bytes_append_frame(Bytes* self, int opcode, const char* payload,
                                   size_t size) except -1:
    cdef char* out = bytes_reserve(self, MAX_HEADER + size)
    if out == NULL:
        raise MemoryError()
    cdef size_t header = write_header(out, opcode, size)
    memcpy(out + header, payload, size)
    self.end += header + size
    return 0
