"""Who is sent to next, and how much: the queue of dirty sessions.

A published frame is written to the ring once; each matched session notes a
4-byte reference. Sessions with something to send stand in a queue, oldest
first; a visit gathers what one session waits for and hands it to its sink in
one write. Batches therefore grow exactly as far as the backlog asks for.

A session is in one of two places:

- *on the ring*: references to frames everybody shares;
- *off the ring*: blocked, or owed a snapshot. Its lossless frames are copied to
  its own backlog, and of conflatable events only the topic is noted. A visit
  sends control messages, then the backlog, then the newest value of each noted
  topic; when nothing is left the session is back on the ring. A *held* one
  stays: its lossless frames are brought by `Outbox.replay`, and until it is let
  go it is offered nothing. A *paced* one stays, too: it is sent owed topics in
  rounds an interval apart, and between them stands in a list by due time.
"""

from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy

import cython

from fastrouter.core.counts cimport CONNECTION_BROKEN, OVER_BOUND, OVER_BUDGET, RESUMED, note
from fastrouter.core.frame cimport (
    MAX_HEADER, TEXT, bytes_append, bytes_free, bytes_size, frame_size, write_header,
)
from fastrouter.core.owed cimport begin_owing, end_owing, owe, owe_nothing, supersede
from fastrouter.core.ring cimport Slot, short_time
from fastrouter.core.sink cimport Sink
from fastrouter.core.state cimport (
    first_ref, forget_refs, grow_refs, last_ref, may_see, own_bytes, shrink_refs, spell_out,
    waiting,
)
from fastrouter.core.structs cimport (
    BLOCKED, CLOSED, CONFLATABLE, CONTROL, DIRTY, HELD, LATER, LOSSLESS, MUTE, NOTICE,
    OFF_RING, PACED, QUEUED, RUN, OutboxCold,
)


cdef extern from * nogil:
    """
    #define prefetch(address) __builtin_prefetch((address), 1)
    """
    void prefetch(const void* address) noexcept


cdef enum:
    KEPT_REFS = 256             # a longer list of references gives its memory back
    AHEAD = 8                   # members whose state is fetched before its turn


@cython.final
cdef class Flusher:
    """The frame ring and the queue of sessions that have something to send."""

    def __cinit__(self, Encoder encoder, Matcher matcher, uint64_t ring_bytes,
                  uint64_t inline_limit, Clock timer, uint64_t budget):
        self.encoder = encoder
        self.matcher = matcher
        self.ring = Ring(ring_bytes, max(<uint64_t>1024, ring_bytes // 64))
        self.inline_limit = inline_limit
        self.timer = timer
        self.budget = Budget(budget)
        self.pacer = Pacer(timer)
        self.portion = Portion(encoder, matcher, self.budget)

    def __dealloc__(self):
        cdef OutboxState* state = self.pop()
        while state != NULL:
            if state.flags & CLOSED:
                free(state)
            state = self.pop()
        bytes_free(&self.scratch)

    # ------------------------------------------------------------------ queue

    cdef void enqueue(self, OutboxState* state) noexcept:
        if state.flags & QUEUED:
            return
        state.flags |= QUEUED
        state.birth = self.ring.next_ref
        state.next = NULL
        if self.head == NULL:
            self.head = state
        else:
            self.tail.next = state
        self.tail = state

    cdef OutboxState* pop(self) noexcept:
        cdef OutboxState* state = self.head
        if state != NULL:
            self.head = state.next
            state.flags &= ~<uint32_t>QUEUED
        return state

    cdef uint32_t oldest(self) noexcept:
        """No session needs a frame older than this reference."""
        return self.ring.next_ref if self.head == NULL else self.head.birth

    cdef int poke(self) except -1:
        """Have the owner call flush() soon, unless it is about to already."""
        if (not self.awake and (self.head != NULL or self.pacer.rearm) and not self.hold
                and self.wake is not None):
            self.awake = self.wake() is not False   # a wake that raised did not wake
        return 0

    cdef int schedule(self, OutboxState* state) except -1:
        """Queue a paced session that is owed topics, or list it until it is due."""
        if not state.flags & (QUEUED | LATER) and not self.pacer.postpone(state):
            self.enqueue(state)
        return 0

    cdef int64_t publish_time(self) noexcept:
        """When the event that is published now is, ns of the timer.

        Reading the timer costs a sixth of a publish. While sessions wait in the queue it is
        read for each 16th event: those between are microseconds from it.
        """
        self.moments += 1
        if self.head == NULL or self.moments % 16 == 0:
            self.moment = self.timer.now()
        return self.moment

    cdef int enqueue_due(self) except -1:
        """Queue the listed sessions whose time has come."""
        cdef:
            OutboxState* state
            int64_t now
        self.pacer.rearm = False
        if self.pacer.later.empty():
            return 0
        now = self.timer.now()
        state = self.pacer.pop(now)
        while state != NULL:
            if not state.flags & BLOCKED:
                self.enqueue(state)
            state = self.pacer.pop(now)
        return 0

    cdef void forget(self, OutboxState* state) noexcept:
        """A session is about to be released."""
        if self.pacer is None or self.budget is None:   # the collector was here first
            return
        self.pacer.unlist(state)
        self.budget.states.erase(state)

    def begin(self) -> None:
        """Open a batch: `wake` waits until the last one ends."""
        self.hold += 1

    def end(self) -> None:
        """Close a batch."""
        self.hold -= 1
        self.poke()

    cpdef bint flush(self, int budget=64) except -1:
        """Visit up to `budget` sessions, oldest first. True when some are left: call again."""
        cdef OutboxState* state
        self.enqueue_due()
        while budget > 0:
            state = self.pop()
            if state == NULL:
                break
            self.visit(state)
            budget -= 1
        self.awake = self.head != NULL      # the caller was told to come again
        if self.awake:
            return True
        self.ring.rewind()
        return False

    @property
    def pending(self):
        """Bytes between the oldest frame a session waits for and the newest."""
        return self.ring.pending(self.oldest())

    @property
    def idle(self):
        """Nobody waits."""
        return self.head == NULL

    cdef int make_room(self, uint64_t size) except -1:
        """Make `size` bytes free in the ring, sending to the oldest sessions if need be."""
        while self.head != NULL and (
                not self.ring.fits(size, self.head.birth)
                or self.ring.pending(self.head.birth) > self.inline_limit):
            self.visit(self.pop())
        return 0

    # ------------------------------------------------------------------ offer

    cdef uint32_t append(self, bytes message, uint32_t topic, uint8_t lane) except? 0:
        """Frame a message into the ring; return its reference."""
        cdef:
            size_t header
            char* out
        self.make_room(MAX_HEADER + len(message))
        out = self.ring.reserve(MAX_HEADER + len(message))
        header = write_header(out, TEXT, len(message))
        memcpy(out + header, <const char*>message, len(message))
        return self.ring.commit(header + len(message), topic, lane, self.now())

    cdef int offer(self, Group* group, uint32_t ref, uint64_t event_id) except -1:
        """Give a frame to every member of `group` that has not got the event yet."""
        cdef:
            OutboxState** members = group.members.data()
            size_t count = group.members.size()
            # where the fan-out starts moves by a golden section each time, so that
            # no session is always last
            size_t start = (<uint64_t><uint32_t>(event_id * 2654435769u) * count) >> 32
        self.counts.offered[group.event_type] += (
            count - self._offer_range(members + start, members + count, ref, event_id)
            - self._offer_range(members, members + start, ref, event_id))
        return 0

    cdef int offer_owned(self, Group* group, uint32_t ref, uint64_t event_id,
                         uint32_t account) except -1:
        """The same for an event of an account: to those who may see it."""
        cdef:
            OutboxState** members = group.members.data()
            size_t count = group.members.size()
            size_t start = (<uint64_t><uint32_t>(event_id * 2654435769u) * count) >> 32
            size_t i, at
        for i in range(count):
            at = start + i if start + i < count else start + i - count
            if may_see(members[at].cold, account):
                self.counts.offered[group.event_type] += (
                    1 - self._offer_range(members + at, members + at + 1, ref, event_id))
        return 0

    cdef int64_t _offer_range(self, OutboxState** member, OutboxState** end, uint32_t ref,
                              uint64_t event_id) except -1:
        """How many had got it already."""
        cdef:
            OutboxState* state
            int64_t repeated = 0
        while member != end:
            state = member[0]
            if end - member > AHEAD:
                prefetch(member[AHEAD])
            member += 1
            if state.mark == event_id:
                repeated += 1
                continue
            state.mark = event_id
            if state.flags == QUEUED | RUN and ref == state.inline_refs[0] + state.count:
                state.count += 1
            elif state.flags == QUEUED and state.count < state.capacity:
                state.refs[state.count] = ref
                state.count += 1
            else:
                self._offer_special(state, ref)
        return repeated

    cdef int _offer_special(self, OutboxState* state, uint32_t ref) except -1:
        """Every offer that is not an append to a session in the queue."""
        if state.flags & (OFF_RING | MUTE):
            return self.keep(state, ref)
        if not state.flags & QUEUED:
            self.enqueue(state)
            if state.count == 0:
                state.birth = ref
                state.flags |= RUN
                state.inline_refs[0] = ref
                state.count = 1
                return 0
        spell_out(state)
        if state.count == state.capacity:
            grow_refs(state)
        state.refs[state.count] = ref
        state.count += 1
        return 0

    cdef int keep(self, OutboxState* state, uint32_t ref) except -1:
        """Off the ring: copy a lossless frame, note the topic of a conflatable one."""
        cdef:
            Slot* slot = self.ring.slot(ref)
            OutboxCold* cold = state.cold
        if state.flags & MUTE:
            self.counts.dropped[cold.reason] += 1
            return 0
        if state.flags & HELD and slot.lane != NOTICE:
            # replay brings it; of a conflatable one go_live() owes the topic
            self.counts.offered[self.matcher.topics[slot.topic].event_type] -= 1
            return 0
        if slot.lane == CONFLATABLE:
            owe(cold, self.matcher.topics[slot.topic], DIRTY, self.matcher.topics.size(),
                &self.counts)
            if state.flags & PACED:
                return 0 if state.flags & BLOCKED else self.schedule(state)
        else:
            bytes_append(&cold.backlog, self.ring.at(ref), slot.size)
            self.budget.held += slot.size
            cold.queued += 1
            if slot.lane == LOSSLESS:
                supersede(cold, self.matcher.topics[slot.topic], &self.counts)
            self.check_bound(state)
        if not state.flags & BLOCKED:
            self.enqueue(state)
        return 0

    cdef int hold_back(self, OutboxState* state) except -1:
        """Offer the session nothing from here on, and forget the events that wait."""
        cdef OutboxCold* cold = state.cold
        self.counts.dropped[RESUMED] += waiting(state)
        forget_refs(state)
        self.off_ring(state)
        self.budget.held -= bytes_size(&cold.backlog)
        bytes_free(&cold.backlog)
        owe_nothing(cold)
        cold.queued = cold.replayed = 0
        state.flags |= HELD
        return 0

    cdef int check_bound(self, OutboxState* state) except -1:
        """Mute a session whose own bytes are over its bound, and tell its sink."""
        cdef OutboxCold* cold = state.cold
        if own_bytes(cold) > cold.bound + cold.replayed:
            self.give_up(state, OVER_BOUND)
        while self.budget.held > self.budget.limit:
            self.give_up(self.budget.largest(), OVER_BUDGET)
        return 0

    cdef int give_up(self, OutboxState* state, uint8_t reason) except -1:
        self.mute(state, reason)
        (<Sink>state.cold.sink).overflow()
        return 0

    cdef int mute(self, OutboxState* state, uint8_t reason) except -1:
        """Give a session up: what waits is dropped, and what it is offered from now on."""
        cdef OutboxCold* cold = state.cold
        if state.flags & MUTE:
            return 0
        self.counts.given_up[reason] += 1
        self.counts.dropped[reason] += waiting(state)
        cold.reason = reason
        state.flags |= MUTE
        forget_refs(state)
        self.budget.held -= own_bytes(cold)
        bytes_free(&cold.backlog)
        bytes_free(&cold.control)
        return 0

    # ------------------------------------------------------------------ visit

    cdef int visit(self, OutboxState* state) except -1:
        """Send what a session waits for, in one write.

        It has just left the queue, or keeps its place there when visited out of turn.
        """
        cdef:
            uint32_t count = state.count
            uint32_t first, last
            size_t size
            size_t control = 0          # bytes of control messages in front
            uint32_t lag = 0            # us since the oldest event was published
            Py_ssize_t taken
            char* data
        if state.flags & (CLOSED | MUTE | BLOCKED | OFF_RING):
            return self._visit_special(state)
        if state.flags & CONTROL:
            self._compose_on_ring(state)
            control = self.portion.control
            data, size = self.portion.composed.data, self.portion.composed.end
        elif count == 0:
            return 0
        else:
            first, last = first_ref(state), last_ref(state)
            data = self.ring.at(first)
            if last - first == count - 1 and self.ring.at(last) >= data:
                size = self.ring.at(last) + self.ring.slot(last).size - data
            else:
                self._gather(state)
                data, size = self.scratch.data, self.scratch.end
        if count:
            lag = self.now() - self.ring.slot(first_ref(state)).time
        taken = (<Sink>state.cold.sink).write(data, size)
        if taken < 0:
            return self.mute(state, CONNECTION_BROKEN)
        if count:
            note(&self.counts.latency, lag)
        if <size_t>taken < size:
            return self._stopped_on_ring(state, data, taken, control)
        if control:
            self.portion.control_sent(state, control)
        self._delivered(state, count, size)
        forget_refs(state)
        if state.capacity > KEPT_REFS:
            shrink_refs(state)
        return 0

    cdef int _visit_special(self, OutboxState* state) except -1:
        """A visit to a session that is not on the ring, or will be no more."""
        if state.flags & CLOSED:
            free(state)
            return 0
        if state.flags & MUTE:
            return 0
        if state.flags & BLOCKED:
            return 0 if state.flags & OFF_RING else self._leave_ring(state, 0)
        return self._visit_off_ring(state)

    cdef int _visit_off_ring(self, OutboxState* state) except -1:
        """Send a portion; when nothing is left, back on the ring."""
        cdef:
            OutboxCold* cold = state.cold
            Portion portion = self.portion
            size_t size
            uint32_t sent, owed
            Py_ssize_t taken
        portion.compose(cold, self.pacer.round_end(state), &self.counts)
        size = portion.composed.end
        if size == 0:
            portion.owed_sent(cold, 0)  # topics that were owed and are not any more
            return self._settle(state)
        taken = (<Sink>cold.sink).write(portion.composed.data, size)
        if taken < 0:
            return self.mute(state, CONNECTION_BROKEN)
        if <size_t>taken < size:
            size = self._finish_frame(state, portion.composed.data, taken)
        if portion.control:
            portion.control_sent(state, min(size, portion.control))
        sent = portion.backlog_sent(cold, size)
        owed = portion.owed_sent(cold, size)
        if owed and state.flags & PACED:
            self.pacer.round_sent(cold)
        self._delivered(state, sent + owed, size)
        return 0 if state.flags & BLOCKED else self._settle(state)

    cdef int _compose_on_ring(self, OutboxState* state) except -1:
        """Control messages and the frames of all references, into `portion`."""
        cdef:
            uint32_t i
            Slot* slot
        spell_out(state)
        self.portion.begin(state.cold)
        for i in range(state.count):
            slot = self.ring.slot(state.refs[i])
            bytes_append(&self.portion.composed, self.ring.at(state.refs[i]), slot.size)
        return 0

    cdef int _gather(self, OutboxState* state) except -1:
        """Copy the frames of a session's references to the scratch, unless they are there."""
        cdef:
            uint32_t i, count = state.count
            Slot* slot
        spell_out(state)
        if self.gathered.size() == count and memcmp(
                self.gathered.data(), state.refs, count * sizeof(uint32_t)) == 0:
            return 0
        self.copied += 1
        self.gathered.clear()
        self.scratch.start = self.scratch.end = 0
        for i in range(count):
            slot = self.ring.slot(state.refs[i])
            bytes_append(&self.scratch, self.ring.at(state.refs[i]), slot.size)
        self.gathered.assign(state.refs, state.refs + count)
        return 0

    # --------------------------------------------------------- after the write

    cdef size_t _finish_frame(self, OutboxState* state, char* data, size_t taken) except? 0:
        """The sink took `taken` bytes of `data`: have it finish the frame it stopped in.

        Returns where that frame ends. It holds at least one byte more than was
        taken, so that the sink always has something to wait for.
        """
        cdef size_t end = 0
        while end <= taken:
            end += frame_size(data + end)
        if (<Sink>state.cold.sink).finish(data + taken, end - taken):
            state.flags |= BLOCKED
        return end

    cdef int _stopped_on_ring(self, OutboxState* state, char* data, size_t taken,
                              size_t control) except -1:
        """The sink is full: what it took and one frame more are sent, the rest leaves the ring."""
        cdef:
            size_t end = self._finish_frame(state, data, taken)
            size_t at = control
            uint32_t sent = 0
        spell_out(state)
        if control:
            self.portion.control_sent(state, min(control, end))
        while at < end:
            at += self.ring.slot(state.refs[sent]).size
            sent += 1
        self._delivered(state, sent, end)
        return self._leave_ring(state, sent)

    cdef int _leave_ring(self, OutboxState* state, uint32_t first) except -1:
        """Take the references from number `first` on along as copies and owed topics."""
        cdef uint32_t i, count = state.count
        spell_out(state)
        state.count = 0
        self.off_ring(state)
        for i in range(first, count):
            self.keep(state, state.refs[i])
        if not state.flags & BLOCKED:
            self.enqueue(state)
        return 0

    cdef int off_ring(self, OutboxState* state) except -1:
        """From here on the session gets copies and owed topics."""
        state.flags |= OFF_RING
        return begin_owing(state.cold)

    cdef int _settle(self, OutboxState* state) except -1:
        """After a visit off the ring: queue again, or back on the ring when nothing is left."""
        cdef:
            OutboxCold* cold = state.cold
            bint is_owed = cold.dirty_head < cold.dirty.size()
        if bytes_size(&cold.control) or bytes_size(&cold.backlog) or (
                cold.dirty_head < cold.round_end if state.flags & PACED else is_owed):
            self.enqueue(state)
            return 0
        if state.flags & HELD:
            (<Sink>cold.sink).drained()
            return 0
        if state.flags & PACED:
            return self.schedule(state) if is_owed else 0
        end_owing(cold)
        state.flags &= ~<uint32_t>OFF_RING
        return 0

    cdef void _delivered(self, OutboxState* state, uint32_t frames, size_t size) noexcept:
        state.cold.delivered += frames
        self.counts.sends += 1
        self.counts.delivered += frames
        self.counts.sent_bytes += size
        note(&self.counts.batch, frames)

    cdef uint32_t now(self) noexcept:
        """The timer, us modulo 2^32."""
        return short_time(self.timer.now())
