from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef struct Slot:
    uint64_t start              # position in the stream of all frames, bytes
    uint32_t size               # bytes, header included
    uint32_t topic              # index; what becomes dirty when the frame is given up
    uint8_t lane
    uint32_t time               # when it was published: us of the timer, modulo 2^32


cdef class Ring:
    cdef:
        char* data
        Slot* slots
        uint64_t capacity       # bytes, a power of two
        uint64_t head           # where the next frame starts
        uint32_t slot_count     # a power of two
        uint32_t next_ref
    cdef bint fits(self, uint64_t size, uint32_t oldest) noexcept nogil
    cdef char* reserve(self, uint64_t size) noexcept nogil
    cdef uint32_t commit(self, uint32_t size, uint32_t topic, uint8_t lane,
                         uint32_t time) noexcept nogil
    cdef uint64_t pending(self, uint32_t oldest) noexcept nogil
    cdef void rewind(self) noexcept nogil

    cdef inline Slot* slot(self, uint32_t ref) noexcept nogil:
        return &self.slots[ref & (self.slot_count - 1)]

    cdef inline char* at(self, uint32_t ref) noexcept nogil:
        return self.data + (self.slot(ref).start & (self.capacity - 1))


cdef inline uint32_t short_time(int64_t time) noexcept:
    """Nanoseconds of the timer as a ring's Slot keeps them."""
    return <uint32_t>(<uint64_t>time // 1000)
