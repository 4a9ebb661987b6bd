"""Who is told what a router publishes."""


cdef class Tap:
    """Told of each event of a router, right after it was offered to who is subscribed to it.

    Every outbox that was offered it bears its id as `OutboxState.mark` then. A subclass
    (compiled: the methods are C) gives `market`, for a quote or candle, which is the topic's
    value, and `event`, for any other kind. Neither may publish.
    """

    cdef int market(self, Topic* topic) except -1:
        return 0

    cdef int event(self, uint64_t number, event) except -1:
        return 0
