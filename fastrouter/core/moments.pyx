"""When the last events were published."""

from libc.stdlib cimport calloc, free

import cython


@cython.final
cdef class Moments:
    """The times of the last MOMENTS events that were noted, by id."""

    def __cinit__(self):
        self.ring = <Moment*>calloc(MOMENTS, sizeof(Moment))
        if self.ring == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.ring)

    cdef int64_t at(self, uint64_t id) noexcept:
        """When event `id` was published, ns of the timer; 0 when that is not known any more."""
        cdef:
            uint64_t first = self.count - min(self.count, <uint64_t>MOMENTS)
            uint64_t last = self.count
            uint64_t middle
            Moment* moment
        while first < last:
            middle = first + (last - first) // 2
            moment = &self.ring[middle & (MOMENTS - 1)]
            if moment.id == id:
                return moment.time
            if moment.id < id:
                first = middle + 1
            else:
                last = middle
        return 0
