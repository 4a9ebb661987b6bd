"""What keeps simulated time from moving on."""


cdef class Barrier(Tap):
    """Counts what members owe. Time may go on while nobody owes `window` batches or is away.

    A subclass gives `proceed`: called when that may have come true.
    """

    cdef bint closed(self) noexcept:
        return self.holding > 0 or self.away > 0

    cdef int proceed(self) except -1:
        return 0
