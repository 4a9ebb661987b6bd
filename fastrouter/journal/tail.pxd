from libc.stddef cimport size_t
from libc.stdint cimport uint64_t
from libcpp.deque cimport deque


cdef struct Chunk:
    char* data
    size_t used
    size_t capacity
    uint64_t first              # ids of its oldest and newest event
    uint64_t last
    size_t count


cdef class Tail:
    cdef:
        deque[Chunk] chunks
        size_t chunk_bytes
        readonly size_t max_bytes
        readonly size_t size
        readonly uint64_t after
        readonly uint64_t last
    cdef char* reserve(self, uint64_t id, size_t size) except NULL
    cdef int add_chunk(self, size_t size) except -1
    cdef void drop_oldest(self) noexcept
