from libc.stdint cimport int64_t, uint64_t


cdef enum:
    MOMENTS = 65536             # how many events are remembered


cdef struct Moment:
    uint64_t id
    int64_t time                # ns of the timer


cdef class Moments:
    cdef:
        Moment* ring
        uint64_t count          # noted so far
    cdef int64_t at(self, uint64_t id) noexcept

    cdef inline void note(self, uint64_t id, int64_t time) noexcept:
        """Remember when an event was published; ids rise."""
        cdef Moment* moment = &self.ring[self.count & (MOMENTS - 1)]
        moment.id = id
        moment.time = time
        self.count += 1
