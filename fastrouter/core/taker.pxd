cdef class Taker:
    cdef bint take(self, const char* data, size_t size) except -1
