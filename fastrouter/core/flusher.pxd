from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libcpp.vector cimport vector

from fastrouter.core.budget cimport Budget
from fastrouter.core.clock cimport Clock
from fastrouter.core.counts cimport Counts
from fastrouter.core.encoder cimport Encoder
from fastrouter.core.matcher cimport Matcher
from fastrouter.core.pacer cimport Pacer
from fastrouter.core.portion cimport Portion
from fastrouter.core.ring cimport Ring
from fastrouter.core.structs cimport Bytes, Group, OutboxState


cdef class Flusher:
    cdef:
        readonly Ring ring
        Encoder encoder
        Matcher matcher
        Clock timer
        int64_t moment          # of the timer, when publish_time() last read it
        uint32_t moments        # how often it was asked
        Counts counts
        OutboxState* head       # the queue: oldest first
        OutboxState* tail
        Bytes scratch           # gathered frames of the references below
        vector[uint32_t] gathered
        uint64_t inline_limit   # bytes the oldest session may lag before publish flushes it
        public object wake      # called when the queue is no longer empty
        bint awake
        Pacer pacer
        Portion portion
        Budget budget
        int hold                # open batches
        readonly uint64_t copied        # gathers that could not reuse the last one
    cdef uint32_t oldest(self) noexcept
    cdef int make_room(self, uint64_t size) except -1
    cdef uint32_t append(self, bytes message, uint32_t topic, uint8_t lane) except? 0
    cdef int offer(self, Group* group, uint32_t ref, uint64_t event_id) except -1
    cdef int offer_owned(self, Group* group, uint32_t ref, uint64_t event_id,
                         uint32_t account) except -1
    cdef int64_t _offer_range(self, OutboxState** member, OutboxState** end, uint32_t ref,
                              uint64_t event_id) except -1
    cdef int _offer_special(self, OutboxState* state, uint32_t ref) except -1
    cdef int keep(self, OutboxState* state, uint32_t ref) except -1
    cdef int hold_back(self, OutboxState* state) except -1
    cdef int check_bound(self, OutboxState* state) except -1
    cdef int give_up(self, OutboxState* state, uint8_t reason) except -1
    cdef int mute(self, OutboxState* state, uint8_t reason) except -1
    cdef void enqueue(self, OutboxState* state) noexcept
    cdef OutboxState* pop(self) noexcept
    cdef int poke(self) except -1
    cdef int schedule(self, OutboxState* state) except -1
    cdef int64_t publish_time(self) noexcept
    cdef int enqueue_due(self) except -1
    cdef void forget(self, OutboxState* state) noexcept
    cpdef bint flush(self, int budget=*) except -1
    cdef int visit(self, OutboxState* state) except -1
    cdef int off_ring(self, OutboxState* state) except -1
    cdef int _visit_special(self, OutboxState* state) except -1
    cdef int _visit_off_ring(self, OutboxState* state) except -1
    cdef int _compose_on_ring(self, OutboxState* state) except -1
    cdef int _gather(self, OutboxState* state) except -1
    cdef size_t _finish_frame(self, OutboxState* state, char* data, size_t taken) except? 0
    cdef int _stopped_on_ring(self, OutboxState* state, char* data, size_t taken,
                              size_t control) except -1
    cdef int _leave_ring(self, OutboxState* state, uint32_t first) except -1
    cdef int _settle(self, OutboxState* state) except -1
    cdef uint32_t now(self) noexcept
    cdef void _delivered(self, OutboxState* state, uint32_t frames, size_t size) noexcept
