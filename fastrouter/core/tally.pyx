"""What a router counts, as Python objects. Made when somebody asks, never on the hot path."""

from fastrouter.core.counts cimport BUCKETS, REASON_COUNT, Counts, Histogram as CHistogram
from fastrouter.core.outbox cimport Outbox
from fastrouter.core.state cimport own_bytes, waiting as events_waiting

from fastrouter.core.counters import Counters, Histogram, by_kind, by_reason


cdef object tally(Flusher flusher, Encoder encoder, Matcher matcher, set outboxes,
                  uint64_t throttled):
    """What has been done since the start, and what waits now; walks all sessions."""
    cdef:
        Counts* counts = &flusher.counts
        size_t event_types = matcher.event_type_count
        uint64_t waiting = 0, most = 0
        Outbox outbox
    for outbox in outboxes:
        waiting += events_waiting(outbox.state)
        most = max(most, own_bytes(outbox.state.cold))
    return Counters(
        sessions=len(outboxes),
        topics=matcher.topics.size(),
        waiting=waiting,
        events=by_kind(numbers(counts.events, event_types)),
        throttled=throttled,
        encoded=encoder.encoded,
        offered=by_kind(numbers(counts.offered, event_types)),
        snapshots=counts.snapshots,
        replayed=counts.replayed,
        conflated=by_kind(numbers(counts.conflated, event_types)),
        dropped=by_reason(numbers(counts.dropped, REASON_COUNT)),
        given_up=by_reason(numbers(counts.given_up, REASON_COUNT)),
        delivered=counts.delivered,
        sends=counts.sends,
        sent_bytes=counts.sent_bytes,
        latency=histogram(&counts.latency),
        batch=histogram(&counts.batch),
        backlog_bytes=flusher.budget.held,
        backlog_most=most)


cdef object histogram(CHistogram* counted):
    return Histogram(numbers(counted.buckets, BUCKETS), counted.sum)


cdef list numbers(const uint64_t* first, size_t count):
    cdef size_t i
    return [first[i] for i in range(count)]
