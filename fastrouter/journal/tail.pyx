"""The newest events in memory, by which a session that comes back goes over to live."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from fastrouter.journal.packed cimport Packed, entry_of

import cython

__all__ = ["Tail"]

cdef enum:
    LARGEST_CHUNK = 1 << 18     # bytes
    LEAST_CHUNK = 1 << 10
    CHUNKS = 16                 # at least, so that little goes at once
    LEAST_BODY = 16             # bytes a body counts for in a page


@cython.final
cdef class Tail:
    """Packed events in order of id, in chunks of which the oldest goes for the next.

    It holds every event after the id `after`: who has seen that one finds here
    all that is missing. `last` is the id of the newest, `start` when there was
    none. `size` is the bytes that the chunks take: `max_bytes` at most, or the newest
    event alone.
    """

    def __cinit__(self, size_t max_bytes, uint64_t start=0):
        self.max_bytes = max_bytes
        self.chunk_bytes = min(LARGEST_CHUNK, max(LEAST_CHUNK, max_bytes // CHUNKS))
        self.after = start
        self.last = start

    def __dealloc__(self):
        while not self.chunks.empty():
            self.drop_oldest()

    def __len__(self) -> int:
        cdef:
            size_t i, count = 0
        for i in range(self.chunks.size()):
            count += self.chunks[i].count
        return count

    @property
    def first(self):
        """The id of the oldest event, 0 when there is none."""
        return 0 if self.chunks.empty() else self.chunks.front().first

    cdef char* reserve(self, uint64_t id, size_t size) except NULL:
        """Room for the newest event, which the caller packs there at once."""
        cdef Chunk* chunk
        if (self.chunks.empty()
                or self.chunks.back().capacity - self.chunks.back().used < size):
            self.add_chunk(size)
        chunk = &self.chunks.back()
        if not chunk.count:
            chunk.first = id
        chunk.last = self.last = id
        chunk.count += 1
        chunk.used += size
        return chunk.data + chunk.used - size

    cdef int add_chunk(self, size_t size) except -1:
        cdef Chunk chunk
        chunk.capacity = max(size, self.chunk_bytes)
        while not self.chunks.empty() and self.size + chunk.capacity > self.max_bytes:
            self.drop_oldest()
        chunk.used = chunk.count = 0
        chunk.first = chunk.last = 0
        chunk.data = <char*>malloc(chunk.capacity)
        if chunk.data == NULL:
            raise MemoryError()
        self.chunks.push_back(chunk)
        self.size += chunk.capacity
        return 0

    cdef void drop_oldest(self) noexcept:
        self.after = self.chunks.front().last
        self.size -= self.chunks.front().capacity
        free(self.chunks.front().data)
        self.chunks.pop_front()

    def append(self, bytes packed not None) -> None:
        """Add the newest event, packed."""
        cdef const Packed* head = <const Packed*><const char*>packed
        memcpy(self.reserve(head.id, head.size), <const char*>packed, head.size)

    def page(self, uint64_t after, size_t size) -> list:
        """Entries after an id that is not below `after`: about `size` bytes of bodies."""
        cdef:
            list found = []
            const Packed* packed
            size_t i, place
        for i in range(self.chunks.size()):
            if self.chunks[i].last <= after:
                continue
            place = 0
            while place < self.chunks[i].used:
                packed = <const Packed*>(self.chunks[i].data + place)
                place += packed.size
                if packed.id <= after:
                    continue
                found.append(entry_of(packed))
                if packed.body_size >= size:
                    return found
                size -= max(packed.body_size, <size_t>LEAST_BODY)
        return found
