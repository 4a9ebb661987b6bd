"""Who takes messages of a client where a session would be too slow."""


cdef class Taker:
    """Is shown each text message before its session is. A subclass gives `take`, in C.

    ``take(data, size)``: True when it has dealt with the message; the session must not see it
    then. The bytes need not be UTF-8: what it takes, it has looked at.
    """

    cdef bint take(self, const char* data, size_t size) except -1:
        return False
