"""One session's way out: what it subscribed to, and what waits for its sink."""

from libc.stddef cimport size_t
from libc.stdint cimport uint32_t, uint8_t
from libcpp.unordered_set cimport unordered_set

import cython

from fastrouter.core.counts cimport SESSION_CLOSED, UNSUBSCRIBED
from fastrouter.core.frame cimport TEXT, bytes_append, bytes_append_frame, header_size
from fastrouter.core.owed cimport is_owed, owe, strike
from fastrouter.core.state cimport may_see, new_state, own_bytes, release
from fastrouter.core.structs cimport (
    BLOCKED, CONTROL, HELD, LATER, MUTE, OFF_RING, PACED, SNAPSHOT, OutboxCold,
)


@cython.final
cdef class Outbox:
    """Made by `Router.attach`; `close()` gives everything back.

    Events arrive by subscription, control messages by `control()`. Both leave
    through the sink, control first. A sink that is full calls `block()` and,
    when it has room again, `resume()`.
    """

    def __cinit__(self, Flusher flusher, Matcher matcher, Sink sink, Dialect dialect,
                  uint8_t number, size_t bound, set owner):
        self.flusher = flusher
        self.matcher = matcher
        self.sink = sink
        self.dialect = dialect
        self.owner = owner
        self.state = new_state(<void*>sink, number, bound)
        flusher.budget.states.insert(self.state)

    def __dealloc__(self):
        if self.state != NULL:      # the whole router goes: nobody looks at groups any more
            if self.flusher is not None:
                self.flusher.forget(self.state)
            release(self.state)

    cdef int check_open(self) except -1:
        if self.state == NULL:
            raise ValueError("the outbox is closed")
        return 0

    # ---------------------------------------------------------- subscriptions

    cdef int number_of(self, Dialect dialect) except -1:
        """The number of `dialect`; None: of the outbox's own."""
        if dialect is None:
            return self.state.cold.dialect
        return self.flusher.encoder.add(dialect)

    def subscribe(self, patterns, Dialect dialect=None) -> None:
        """Add (symbol pattern, event type) pairs; known ones are passed over.

        Of every topic that matches now and did not before, the last value
        follows as a snapshot, then its live events, with no gap and no
        duplicate. Raises SubscriptionError for an unknown event type; nothing
        is changed then.

        What is subscribed to in another `dialect` comes in that one: any kind but
        quote and candle (ValueError). An event matched in two comes once.
        """
        cdef:
            list joined = []
            list wanted = [(symbol.encode(), self.matcher.row(event_type))
                           for symbol, event_type in patterns]
            Group* group
            uint8_t number
        self.check_open()
        number = self.number_of(dialect)
        if number != self.state.cold.dialect and any(self.matcher.market(r) for _, r in wanted):
            raise ValueError("quotes and candles come in the outbox's own dialect alone")
        self.send_waiting()
        for symbol, row in wanted:
            group = self.matcher.group(row, symbol, number)
            if self.matcher.place(self.state, group) < 0:
                joined.append(<size_t>self.state.cold.held.size())
                self.matcher.join(group, self.state)
        self.owe_snapshots(joined)
        self.flusher.poke()

    def unsubscribe(self, patterns, Dialect dialect=None) -> None:
        """Remove (symbol pattern, event type) pairs of a dialect; unknown ones are passed over.

        What was published before is sent or, when blocked, forgotten.
        """
        cdef:
            Group* group
            Py_ssize_t place
            uint8_t number
        self.check_open()
        if dialect is not None and dialect not in self.flusher.encoder.dialects:
            return
        number = self.number_of(dialect)
        self.send_waiting()
        for symbol, event_type in patterns:
            group = self.matcher.find_group(
                self.matcher.row(event_type), symbol.encode(), number)
            if group != NULL:
                place = self.matcher.place(self.state, group)
                if place >= 0:
                    self.matcher.leave(self.state, place)
        self.forget_unmatched()

    def allow(self, accounts) -> None:
        """From here on, events that belong to an account come from `accounts` alone.

        An iterable of names; None, as at the beginning: from all. Replay keeps to it, too.
        """
        cdef unordered_set[uint32_t]* allowed = NULL
        cdef list numbers
        self.check_open()
        if isinstance(accounts, str):
            raise TypeError(f"accounts is {accounts!r}; allowed: an iterable of names, None")
        self.send_waiting()
        if accounts is not None:
            numbers = [self.matcher.account(name) for name in accounts]
            allowed = new unordered_set[uint32_t]()
            for number in numbers:
                allowed.insert(<uint32_t>number)
        del self.state.cold.accounts
        self.state.cold.accounts = allowed

    def pace(self, interval_ns: int) -> None:
        """Send conflatable events at most once in `interval_ns`; 0: whenever there are any.

        A round brings the newest value of each topic that changed; after a silence it
        leaves at once. The last value always arrives. Lossless events and control
        messages do not wait.
        """
        cdef OutboxCold* cold
        self.check_open()
        if interval_ns < 0:
            raise ValueError(f"interval_ns is {interval_ns}; allowed: from 0")
        self.send_waiting()
        cold = self.state.cold
        cold.pace = interval_ns
        if cold.pace:
            self.flusher.off_ring(self.state)
            self.state.flags |= PACED
        else:
            self.flusher.pacer.unlist(self.state)
            self.state.flags &= ~<uint32_t>PACED
            cold.due = cold.round_end = 0
        if self.state.flags & OFF_RING and not self.state.flags & (BLOCKED | MUTE):
            self.flusher.enqueue(self.state)
            self.flusher.poke()

    cdef int send_waiting(self) except -1:
        """What was published before a change of subscriptions goes out before its answer."""
        if self.state.count:
            self.flusher.visit(self.state)
        return 0

    cdef int owe_snapshots(self, list joined) except -1:
        """Owe the value of every topic that only groups at the places `joined` match."""
        cdef:
            OutboxCold* cold = self.state.cold
            unordered_set[Group*] before
            Topic* topic
            Group* group
            bint known
            size_t i
            size_t first = joined[0] if joined else cold.held.size()
        if self.state.flags & (MUTE | HELD):    # a held one is owed them by go_live()
            return 0
        for i in range(first):
            before.insert(cold.held[0][i].group)
        for place in joined:
            for topic in cold.held[0][<size_t>place].group.topics[0]:
                known = not topic.has_value
                for group in topic.groups[0]:
                    if known:
                        break
                    known = before.count(group) > 0
                if not known:
                    self.owe_snapshot(topic)
        if self.state.flags & OFF_RING and not self.state.flags & (BLOCKED | MUTE):
            self.flusher.enqueue(self.state)
        return 0

    cdef int owe_snapshot(self, Topic* topic) except -1:
        cdef OutboxCold* cold = self.state.cold
        self.flusher.off_ring(self.state)
        if not is_owed(cold, topic.index):
            owe(cold, topic, SNAPSHOT, self.matcher.topics.size(), &self.flusher.counts)
            self.flusher.counts.snapshots += 1
        return 0

    cdef int forget_unmatched(self) except -1:
        """Strike owed topics that no group of this session matches any more."""
        cdef:
            OutboxCold* cold = self.state.cold
            unordered_set[Group*] held
            Group* group
            size_t i
            uint32_t index
            bint matched
        if cold.dirty == NULL or self.state.flags & MUTE:
            return 0
        for i in range(cold.held.size()):
            held.insert(cold.held[0][i].group)
        for i in range(cold.dirty_head, cold.dirty.size()):
            index = cold.dirty[0][i]
            matched = False
            for group in self.matcher.topics[index].groups[0]:
                matched = matched or held.count(group) > 0
            if not matched and is_owed(cold, index):
                strike(cold, index)
                self.flusher.counts.dropped[UNSUBSCRIBED] += 1
        return 0

    # ----------------------------------------------------------------- resume

    def hold(self) -> None:
        """From here on only control messages and what `replay()` brings are sent.

        Events that wait to be sent are forgotten: the caller brings all lossless
        ones from where the client stands, up to the router's `last_id`, and then
        calls `go_live()` before the next is published. On the wire follow control
        messages, the replayed events, snapshots, live events; so the largest id a
        client saw since then is where it can resume.
        """
        self.check_open()
        if not self.state.flags & HELD:
            self.flusher.hold_back(self.state)

    def replay(self, records) -> int:
        """Append those Records that the session is subscribed to and may see; bytes appended.

        They do not count against the session's bound: the caller waits for
        `Sink.drained()` where there are many. ValueError when it is not held.
        """
        cdef:
            unordered_set[Group*] held
            Record record
            size_t i, size = 0
        self.check_open()
        if not self.state.flags & HELD:
            raise ValueError("the outbox is not held")
        if self.state.flags & MUTE:
            return 0
        for i in range(self.state.cold.held.size()):
            held.insert(self.state.cold.held[0][i].group)
        for record in records:
            size += self.append_record(record, &held)
        self.flusher.check_bound(self.state)
        if size and not self.state.flags & BLOCKED:
            self.flusher.enqueue(self.state)
            self.flusher.poke()
        return size

    cdef size_t append_record(self, Record record,
                              const unordered_set[Group*]* held) except? 0:
        cdef:
            OutboxCold* cold = self.state.cold
            Topic* topic = record.find_topic(self.matcher)
            Group* group
            bytes frame = b""
        if record.account and not may_see(cold, self.matcher.accounts.get(record.account, 0)):
            return 0
        for group in topic.groups[0]:   # by dialect: as live, the first that has a message for it
            if not frame and held.count(group):
                frame = self.flusher.encoder.recorded(record, topic, group.dialect)
        if not frame:
            return 0
        self.append_again(frame)
        self.state.mark = record.id         # should it be on its way to us just now
        return len(frame)

    cdef int append_again(self, bytes frame) except -1:
        """Append a frame that does not count against the bound. The outbox is held."""
        cdef OutboxCold* cold = self.state.cold
        bytes_append(&cold.backlog, frame, len(frame))
        cold.replayed += len(frame)
        self.flusher.budget.held += len(frame)
        cold.queued += 1
        self.flusher.counts.replayed += 1
        return 0

    def go_live(self, snapshots: bool = True) -> None:
        """Hold no more: snapshots of all topics follow, unless it has them, then live events."""
        cdef:
            OutboxCold* cold = self.state.cold if self.state != NULL else NULL
            Topic* topic
            size_t i
        self.check_open()
        if not self.state.flags & HELD:
            return
        self.state.flags &= ~<uint32_t>HELD
        if self.state.flags & MUTE:
            return
        for i in range(cold.held.size() if snapshots else 0):
            for topic in cold.held[0][i].group.topics[0]:
                if topic.has_value:
                    self.owe_snapshot(topic)
        if not self.state.flags & BLOCKED:
            self.flusher.enqueue(self.state)
            self.flusher.poke()

    # ----------------------------------------------------------------- output

    def control(self, payload: bytes, opcode: int = TEXT) -> None:
        """Queue one message to this session alone, ahead of all events."""
        self.check_open()
        if self.state.flags & MUTE:
            return
        bytes_append_frame(&self.state.cold.control, opcode, payload, len(payload))
        self.flusher.budget.held += header_size(len(payload)) + len(payload)
        self.state.flags |= CONTROL
        self.flusher.check_bound(self.state)
        if not self.state.flags & BLOCKED:
            self.flusher.enqueue(self.state)
            self.flusher.poke()

    def block(self) -> None:
        """The sink takes nothing until `resume()`."""
        if self.state != NULL:
            self.state.flags |= BLOCKED

    def resume(self) -> None:
        """The sink takes bytes again."""
        if self.state == NULL or not self.state.flags & BLOCKED:
            return
        self.state.flags &= ~<uint32_t>BLOCKED
        if self.state.flags & (OFF_RING | CONTROL) or self.state.count:
            self.flusher.enqueue(self.state)
            self.flusher.poke()

    def flush(self) -> None:
        """Send now what waits, out of turn; for a session that is about to close."""
        if self.state != NULL:
            self.state.cold.due = 0
            self.flusher.visit(self.state)

    def mute(self) -> None:
        """Take no more events and messages; what waits is dropped."""
        if self.state != NULL:
            self.flusher.mute(self.state, SESSION_CLOSED)

    def close(self) -> None:
        """Leave all groups and free what waits. Safe to call again."""
        if self.state == NULL:
            return
        while not self.state.cold.held.empty():
            self.matcher.leave(self.state, self.state.cold.held.size() - 1)
        self.mute()
        self.flusher.forget(self.state)
        release(self.state)
        self.state = NULL
        self.owner.discard(self)

    # ------------------------------------------------------------- statistics

    @property
    def closed(self):
        """Is it closed? Nothing but its statistics and `close()` may be asked then."""
        return self.state == NULL

    @property
    def waiting(self):
        """Could anything be sent now? (Not what a paced session has to wait for.)"""
        cdef OutboxState* state = self.state
        if state == NULL or state.flags & MUTE:
            return False
        if state.flags & (HELD | PACED):
            return self.backlog > 0 or state.cold.owed > 0 and not state.flags & LATER
        return bool(state.count or state.flags & (OFF_RING | CONTROL))

    @property
    def held(self):
        """Is it waiting for `go_live()`?"""
        return self.state != NULL and bool(self.state.flags & HELD)

    @property
    def blocked(self):
        """Is the sink full?"""
        return self.state != NULL and bool(self.state.flags & BLOCKED)

    @property
    def backlog(self):
        """Bytes of control messages and lossless events held for this session alone."""
        return 0 if self.state == NULL else own_bytes(self.state.cold)

    @property
    def delivered(self):
        """Frames handed to the sink."""
        return 0 if self.state == NULL else self.state.cold.delivered

    @property
    def conflated(self):
        """Events that a newer one of their topic replaced."""
        return 0 if self.state == NULL else self.state.cold.conflated
