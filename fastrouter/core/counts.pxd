"""What the hot path counts, in C; `core.counters` says what each figure means."""

from libc.stdint cimport uint32_t, uint64_t


cdef extern from * nogil:
    """
    /* Bits needed to write v: 0 for 0, 1 for 1, 2 for 2 and 3, 3 for 4 to 7 ... */
    static inline int bit_length(unsigned v) { return v ? 32 - __builtin_clz(v) : 0; }
    """
    int bit_length(uint32_t value) noexcept


cdef enum:
    MAX_EVENT_TYPES = 32
    BUCKETS = 33                # a histogram's: one for each bit length of 32 bits


cdef enum:                      # why a waiting event was dropped; in the order of counters.REASONS
    OVER_BOUND = 0
    OVER_BUDGET = 1
    SESSION_CLOSED = 2
    CONNECTION_BROKEN = 3
    UNSUBSCRIBED = 4
    RESUMED = 5
    REASON_COUNT = 6


cdef struct Histogram:
    uint64_t buckets[BUCKETS]
    uint64_t sum


cdef struct Counts:
    uint64_t events[MAX_EVENT_TYPES]        # by row of the event type, as the next two
    uint64_t offered[MAX_EVENT_TYPES]
    uint64_t conflated[MAX_EVENT_TYPES]
    uint64_t snapshots
    uint64_t replayed
    uint64_t delivered
    uint64_t dropped[REASON_COUNT]
    uint64_t given_up[REASON_COUNT]         # sessions
    uint64_t sends
    uint64_t sent_bytes
    Histogram latency                       # us
    Histogram batch                         # events of a send


cdef inline void note(Histogram* histogram, uint32_t value) noexcept nogil:
    histogram.buckets[bit_length(value)] += 1
    histogram.sum += value
