"""The topics a session is owed the newest value of: `dirty` and `marks` of its OutboxCold."""

from libc.stdint cimport uint8_t, uint32_t
from libcpp.vector cimport vector

from fastrouter.core.counts cimport Counts
from fastrouter.core.structs cimport LISTED, OWED, SNAPSHOT, OutboxCold, Topic


cdef enum:
    KEPT_TOPICS = 1024          # more places of topics that were sent are cut off `dirty`


cdef inline int begin_owing(OutboxCold* cold) except -1:
    """Lists for a session that leaves the ring, unless it has them."""
    if cold.dirty == NULL:
        cold.dirty = new vector[uint32_t]()
        cold.marks = new vector[uint8_t]()
        cold.dirty_head = cold.round_end = 0
    return 0


cdef inline void end_owing(OutboxCold* cold) noexcept:
    """Nothing is owed, and nothing listed."""
    del cold.dirty
    del cold.marks
    cold.dirty = NULL
    cold.marks = NULL


cdef inline void owe_nothing(OutboxCold* cold) noexcept:
    """Forget what is owed, and go on owing."""
    cold.dirty.clear()
    cold.marks.clear()
    cold.dirty_head = cold.round_end = 0
    cold.owed = 0


cdef inline bint is_owed(const OutboxCold* cold, uint32_t topic) noexcept:
    return cold.marks.size() > topic and (cold.marks[0][topic] & OWED) != 0


cdef inline void conflate(OutboxCold* cold, const Topic* topic, Counts* counts) noexcept:
    """Count an event of the topic as replaced by a newer one."""
    cold.conflated += 1
    counts.conflated[topic.event_type] += 1


cdef inline int owe(OutboxCold* cold, const Topic* topic, uint8_t mark, size_t topics,
                    Counts* counts) except -1:
    """Note that the newest value of one of so many topics is owed."""
    if cold.marks.size() <= topic.index:
        cold.marks.resize(topics, 0)
    if cold.marks[0][topic.index] & OWED:
        conflate(cold, topic, counts)
        return 0
    cold.owed += 1
    if not cold.marks[0][topic.index]:
        cold.dirty.push_back(topic.index)
    cold.marks[0][topic.index] = mark
    return 0


cdef inline void strike(OutboxCold* cold, uint32_t topic) noexcept:
    """The topic is owed no more; it stays in the list."""
    cold.marks[0][topic] = LISTED
    cold.owed -= 1


cdef inline void supersede(OutboxCold* cold, const Topic* topic, Counts* counts) noexcept:
    """A lossless value of the topic waits: what was owed is older."""
    if is_owed(cold, topic.index):
        strike(cold, topic.index)
        conflate(cold, topic, counts)


cdef inline void strike_unspoken(OutboxCold* cold, const Topic* topic, Counts* counts) noexcept:
    """The session's dialect has no message for the value that is owed."""
    if cold.marks[0][topic.index] == SNAPSHOT:
        counts.snapshots -= 1
    else:
        conflate(cold, topic, counts)
    strike(cold, topic.index)


cdef inline bint strike_first(OutboxCold* cold, size_t following) noexcept:
    """Take the first of the list off it, up to the place `following`; was it owed?"""
    cdef:
        uint32_t topic = cold.dirty[0][cold.dirty_head]
        bint owed = (cold.marks[0][topic] & OWED) != 0
    cold.owed -= owed
    cold.marks[0][topic] = 0
    cold.dirty_head = following
    return owed


cdef inline void cut_sent(OutboxCold* cold) noexcept:
    """Give back the memory of places before `dirty_head`, once there are many."""
    if cold.dirty_head > max(<size_t>KEPT_TOPICS, cold.dirty.size() // 2):
        cold.dirty.erase(cold.dirty.begin(), cold.dirty.begin() + cold.dirty_head)
        cold.round_end -= min(cold.round_end, cold.dirty_head)
        cold.dirty_head = 0
