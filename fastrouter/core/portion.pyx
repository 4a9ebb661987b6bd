"""What one visit sends to a session that is off the ring."""

from libc.stdint cimport uint32_t

import cython

from fastrouter.core.frame cimport (
    bytes_append, bytes_consume, bytes_free, bytes_reserve, bytes_size, frame_size,
)
from fastrouter.core.owed cimport cut_sent, strike_first, strike_unspoken
from fastrouter.core.structs cimport CONTROL, MAX_MARKET_FRAME, OWED, SNAPSHOT, Topic


cdef enum:
    CHUNK = 65536               # bytes it aims at


@cython.final
cdef class Portion:
    """About CHUNK bytes: control messages, then backlog, then the values of owed topics.

    `compose` it, hand `composed` to the sink, and say how much of each part is sent.
    """

    def __cinit__(self, Encoder encoder, Matcher matcher, Budget budget):
        self.encoder = encoder
        self.matcher = matcher
        self.budget = budget

    def __dealloc__(self):
        bytes_free(&self.composed)

    cdef int begin(self, OutboxCold* cold) except -1:
        """Nothing but the session's control messages."""
        self.composed.start = self.composed.end = 0
        self.owed.clear()
        bytes_append(&self.composed, cold.control.data + cold.control.start,
                     bytes_size(&cold.control))
        self.control = self.queued = self.composed.end
        return 0

    cdef int compose(self, OutboxCold* cold, size_t end, Counts* counts) except -1:
        """All that is to be sent now; of owed topics, those that stand before place `end`."""
        self.begin(cold)
        self._add_backlog(cold)
        if self.queued - self.control == bytes_size(&cold.backlog):
            self._add_owed(cold, end, counts)
        return 0

    cdef int _add_backlog(self, OutboxCold* cold) except -1:
        cdef:
            size_t backlog = bytes_size(&cold.backlog)
            size_t part = 0
        while part < backlog and part < CHUNK:
            part += frame_size(cold.backlog.data + cold.backlog.start + part)
        bytes_append(&self.composed, cold.backlog.data + cold.backlog.start, part)
        self.queued = self.composed.end
        return 0

    cdef int _add_owed(self, OutboxCold* cold, size_t end, Counts* counts) except -1:
        cdef:
            size_t at = cold.dirty_head
            uint32_t index
            Owed owed
        while at < end and self.composed.end < CHUNK:
            index = cold.dirty[0][at]
            at += 1
            if cold.marks[0][index] & OWED:
                self._add_value(cold, index, counts)
            owed.end = self.composed.end
            owed.next = at
            self.owed.push_back(owed)
        return 0

    cdef int _add_value(self, OutboxCold* cold, uint32_t index, Counts* counts) except -1:
        """The newest value of a topic; struck when the session's dialect has no message for it."""
        cdef:
            Topic* topic = self.matcher.topics[index]
            char* out = bytes_reserve(&self.composed, MAX_MARKET_FRAME)
            size_t size
        if out == NULL:
            raise MemoryError()
        size = self.encoder.market(out, topic, cold.dialect, cold.marks[0][index] == SNAPSHOT)
        self.composed.end += size
        if size == 0:
            strike_unspoken(cold, topic, counts)
        return 0

    # ------------------------------------------------------------------- sent

    cdef void control_sent(self, OutboxState* state, size_t size) noexcept:
        """Strike the first `size` bytes of the session's control messages."""
        bytes_consume(&state.cold.control, size)
        self.budget.held -= size
        if bytes_size(&state.cold.control) == 0:
            state.flags &= ~<uint32_t>CONTROL

    cdef uint32_t backlog_sent(self, OutboxCold* cold, size_t size) noexcept:
        """Strike the backlog's frames that lie in the first `size` bytes; how many."""
        cdef:
            size_t at = self.control
            size_t end = min(size, self.queued)
            uint32_t sent = 0
        while at < end:
            at += frame_size(self.composed.data + at)
            sent += 1
        if sent:
            bytes_consume(&cold.backlog, end - self.control)
            cold.replayed -= min(cold.replayed, end - self.control)
            self.budget.held -= end - self.control
        cold.queued -= sent
        return sent

    cdef uint32_t owed_sent(self, OutboxCold* cold, size_t size) noexcept:
        """Strike the owed topics whose frames lie in the first `size` bytes; how many."""
        cdef:
            Owed owed
            uint32_t sent = 0
        for owed in self.owed:
            if owed.end > size:
                break
            sent += strike_first(cold, owed.next)
        cut_sent(cold)
        return sent
