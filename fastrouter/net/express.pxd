from libc.stddef cimport size_t

from fastrouter.net.listener cimport Listener


cdef class Express:
    cdef:
        object protocol             # fastrouter.net.protocol.Protocol; None once it is lost
        Listener listener
        unsigned char* room         # what was read and is not a whole frame yet
        object whole                # a view of all of it
        size_t have                 # bytes of it
        size_t header, length       # of the frame looked at, in bytes
        size_t limit                # of a message, in bytes
        bint through                # everything goes to the protocol from here on
        int descriptor              # of the socket; -1: nobody is waited for
        int misses                  # times in a row that an answer was not quick
    cdef Py_ssize_t wait(self) except? -1
    cdef bint process(self, Py_ssize_t count) except -1
    cdef size_t frame(self, size_t at) noexcept
    cdef bint take(self, size_t at) except -1
    cdef int hand_on(self, size_t at, size_t size) except -1
