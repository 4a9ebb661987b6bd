"""The frame ring: every published frame stands here once, sessions hold references."""

from libc.stdlib cimport free, malloc

import cython

from fastrouter.core.structs cimport MAX_DIALECTS


@cython.final
cdef class Ring:
    """A byte ring of frames, addressed by rising 32-bit references.

    It does not know who refers to a frame: the caller says which reference is
    the oldest still needed. `capacity` is in bytes, a power of two.
    """

    def __cinit__(self, uint64_t capacity, uint32_t slot_count):
        if capacity & (capacity - 1) or slot_count & (slot_count - 1):
            raise ValueError("capacity and slot_count must be powers of two")
        self.data = <char*>malloc(capacity)
        self.slots = <Slot*>malloc(slot_count * sizeof(Slot))
        if self.data == NULL or self.slots == NULL:
            raise MemoryError()
        self.capacity = capacity
        self.slot_count = slot_count

    def __dealloc__(self):
        free(self.data)
        free(self.slots)

    cdef uint64_t pending(self, uint32_t oldest) noexcept nogil:
        """Bytes from the frame `oldest` to the newest."""
        if oldest == self.next_ref:
            return 0
        return self.head - self.slot(oldest).start

    cdef bint fits(self, uint64_t size, uint32_t oldest) noexcept nogil:
        """Is there room for `size` bytes of frames, one a dialect, keeping `oldest` and newer?"""
        cdef:
            uint64_t place = self.head & (self.capacity - 1)
            uint64_t skip = self.capacity - place if place + size > self.capacity else 0
        return (self.pending(oldest) + skip + size <= self.capacity
                and self.next_ref - oldest + MAX_DIALECTS <= self.slot_count)

    cdef char* reserve(self, uint64_t size) noexcept nogil:
        """`size` contiguous bytes for the next frame. The caller made sure that they fit."""
        cdef uint64_t place = self.head & (self.capacity - 1)
        if place + size > self.capacity:
            self.head += self.capacity - place
            place = 0
        return self.data + place

    cdef uint32_t commit(self, uint32_t size, uint32_t topic, uint8_t lane,
                         uint32_t time) noexcept nogil:
        """Make what was written to the reserved bytes a frame; return its reference."""
        cdef Slot* slot = self.slot(self.next_ref)
        slot.start = self.head
        slot.size = size
        slot.topic = topic
        slot.lane = lane
        slot.time = time
        self.head += size
        self.next_ref += 1
        return self.next_ref - 1

    cdef void rewind(self) noexcept nogil:
        """Nobody refers to any frame: start at the front again, where the cache is warm."""
        self.head = 0
