from libc.stdint cimport uint8_t, uint64_t


cdef class Gate:
    cdef:
        readonly object broken      # (close code, reason) of the first bad header; None
        uint64_t limit
        uint64_t left               # payload bytes of the current frame still to come
        uint8_t[14] head
        int have, need              # bytes of the current header
        int matched                 # bytes of the blank line seen; all 4: frames follow
    cdef Py_ssize_t handshake(self, const uint8_t[::1] data) noexcept
    cdef bint begin(self) except -1
    cdef uint64_t length(self) except? 0
    cdef bint refuse(self, int code, str reason) except -1
