cdef class Sink:
    cdef Py_ssize_t write(self, const char* data, Py_ssize_t size) noexcept
    cdef bint finish(self, const char* data, Py_ssize_t size) noexcept
    cdef void overflow(self) noexcept
    cdef void drained(self) noexcept


cdef class MemorySink(Sink):
    cdef:
        readonly bytearray data
        readonly bint overflowed
        readonly bint blocked
        readonly Py_ssize_t writes
        readonly Py_ssize_t drains
        Py_ssize_t room
