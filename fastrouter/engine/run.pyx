"""A simulation: history, published instant by instant as those who watch it acknowledge.

::

    joining    fewer members than `clients`: nothing is published
    running    the events of one instant are a batch. The next follows when no member owes
               `window` batches, and none is away. A batch that nobody is offered owes nothing.
               Candles that end between two rows are an instant of their own.
    over       all is published and acknowledged, or nobody is left

Without I/O: the router writes to its outboxes' sinks, `wall` is any monotonic clock, and what the
host has to do stands in `news`. The host feeds `tape`, calls `turn` when `router.wake` asks for it
and `tick` now and then.
"""

import cython

from fastrouter.core.outbox cimport Outbox
from fastrouter.core.structs cimport Topic

from fastrouter.core.clock import Clock as StandingClock
from fastrouter.core.router import Router as CoreRouter
from fastrouter.engine.news import Completed, Evicted, Failed, Totals
from fastrouter.engine.tape import Tape as NewTape
from fastrouter.errors import FastrouterError, MessageError, OrderError

__all__ = ["Run"]

cdef enum:
    PORTION = 256               # rows between two looks at the sockets
    TURN = 4096                 # rows; then the loop gets its turn
    KEPT = 256                  # events; fewer are not worth a look
    SENDS = 64


@cython.final
cdef class Run(Barrier):
    """Members share it from its first event to its last.

    - `window`: how many batches a member may owe, and still the next is published;
    - `clients`: with how many members it begins;
    - `evict`: ns of `wall` time after which it goes on without a laggard; 0: it waits;
    - `patience`: the same for a member that is away, be it a laggard or not;
    - `options`: the other ones of its `Router`.
    """

    def __init__(self, str id not None, Clock wall not None, *, window=1, clients=1,
                 int64_t evict=0, int64_t patience=300_000_000_000, **options):
        if not 0 < window < 1 << 31 or clients < 1:
            raise ValueError(f"window is {window}, clients {clients}; allowed: from 1")
        self.id = id
        self.wall = wall
        self.window = window
        self.clients = clients
        self.evict = evict
        self.patience = patience
        self.clock = StandingClock()
        self.tape = NewTape()
        self.router = CoreRouter(clock=self.clock, lossless=True, tap=self, **options)
        self.kept = Kept()
        self.kept_most = KEPT
        self.members = []
        self.news = []

    # -------------------------------------------------------------------- members

    def join(self, Outbox outbox not None) -> Member:
        """One more member. The caller subscribes the outbox, then calls `begin`.

        MessageError when there are `clients` already.
        """
        if len(self.members) == self.clients or self.begun or self.over:
            raise MessageError(f"run {self.id} has its {self.clients} clients", code="RUN_FULL")
        self.joined += 1
        member = Member(self, self.joined, outbox)
        self.members.append(member)
        return member

    def begin(self, Member member not None) -> None:
        """A member has said what it wants. The last of `clients` begins the run."""
        self.ready += not member.ready
        member.ready = True
        if self.ready == self.clients and not self.begun:
            self.begun = True
            self.began = self.since = self.wall.now()
            self.proceed()

    def leave(self, Member member not None) -> None:
        """A member's connection is lost: the run waits for it at the batch it owes.

        Before the run has begun its place is free.
        """
        if member.outbox is None or member.gone:
            return
        member.away_since = self.wall.now()
        if self.begun:
            member.outbox = None
            self.away += 1
        else:
            self.ready -= member.ready
            self.remove(member)

    def resume(self, Member member not None, Outbox outbox not None) -> None:
        """A member is back, with an outbox that is held and subscribed to what it held before.

        It gets all from the first batch on that it had not acknowledged, byte for byte.
        ValueError for an outbox that is closed.
        """
        cdef:
            uint64_t oldest = member.oldest()
            size_t place
            uint64_t number
        outbox.check_open()
        if member.outbox is not None or member.gone:
            raise MessageError(f"member {member.number} of run {self.id} is not away",
                               code="RUN_FULL")
        if oldest:
            for place in range(self.kept.place(oldest), self.kept.moments.size()):
                number = self.kept.moments[place].stamp.id
                if member.had(number):
                    outbox.append_again(self.kept.frame(
                        place, self.router.encoder, outbox.state.cold.dialect))
        outbox.go_live(False)
        member.outbox = outbox
        self.away -= 1
        self.since = self.wall.now()

    cdef int remove(self, Member member) except -1:
        self.members.remove(member)
        self.unfinished -= member.unfinished
        self.holding -= member.unfinished >= self.window
        self.away -= member.outbox is None
        member.gone = True
        member.outbox = None
        if not self.members:
            self.end()
        return 0

    def quit(self, Member member not None, str reason not None) -> None:
        """Go on without a member, and tell the host."""
        if member.gone:
            return
        self.remove(member)
        self.news.append(Evicted(member, reason))
        self.tell()                 # before it is sent the next instant, which is none of its own
        self.proceed()

    def tell(self) -> None:
        """Have the host look at the news."""
        if self.news and self.on_news is not None:
            self.on_news()

    # -------------------------------------------------------------------- publish

    cdef int market(self, Topic* topic) except -1:
        if self.owed(topic.stamp.id):
            self.kept.note(topic)
        if self.floor is not None and self.floor.awake:
            self.floor.note(topic)
        return 0

    cdef int event(self, uint64_t number, event) except -1:
        if self.owed(number):
            self.kept.note_event(number, event)
        return 0

    cdef bint owed(self, uint64_t number) except -1:
        """Have the members to whom it was offered owe its acknowledgement. Are there any?"""
        cdef:
            Member member
            bint offered = False
        for member in self.members:
            if member.was_offered(number):
                member.owe(number)
                offered = True
        return offered

    def turn(self) -> None:
        """Send what waits, and go on if that may be."""
        self.flush()
        self.proceed()

    cdef int proceed(self) except -1:
        """Publish as far as may be, and send it."""
        if self.busy or self.over or not self.begun:
            return 0
        self.busy = True
        self.router.flusher.hold += 1
        try:
            self.publish()
        except FastrouterError as error:
            self.fail(str(error))
        finally:
            self.busy = False
            self.router.flusher.hold -= 1
        if not self.unfinished and self.tape.ended and not self.half and not self.away:
            self.finish()
        return 0

    cdef int publish(self) except -1:
        cdef int count, rows = 0
        while not self.clogged():
            count = self.publish_some()
            if count == 0:
                break
            self.flush()
            rows += count
            if rows >= TURN:
                if self.router.flusher.wake is not None:
                    self.router.flusher.wake()
                break
        if rows and self.evict:
            self.since = self.wall.now()
        return 0

    cdef int publish_some(self) except -1:
        """Publish a portion; how many rows."""
        cdef int count = 0
        while count < PORTION and (not self.away if self.half else self.next_instant()):
            count += 1
            if self.rows:
                self.rows = self.tape.publish(self.router)
                if not self.rows:
                    self.show_forming()
                    self.half = self.trading()
            elif self.half:
                self.half = self.floor.step(self.clock.time)
        return count

    cdef bint trading(self) except -1:
        """Is there something about orders that belongs to this instant and is not published?"""
        return self.floor is not None and self.floor.busy()

    cdef bint next_instant(self) except -1:
        """Begin the next batch; False when that may not be, or there is none yet."""
        if self.closed():
            return False
        if not self.tape.begin(self.router):
            return False
        self.begin_batch(min(self.tape.time, self.router.builder.next_close))
        if self.router.builder.next_close <= self.clock.time:
            self.router.close_candles(self.clock.time)
        self.rows = self.clock.time == self.tape.time
        self.half = self.rows or self.trading()
        return True

    cdef int begin_batch(self, int64_t time) except -1:
        self.forget()
        self.batch += 1
        self.instants += 1
        self.clock.time = time
        if self.instants == 1:
            self.first = time
        if self.floor is not None:
            self.floor.open(time)
        return 0

    cdef int show_forming(self) except -1:
        """At the end of an instant: the candles that changed in it, and may be shown again."""
        cdef Router router = self.router
        if router.builder.lengths.empty():
            return 0
        router.showing.show_due(&router.built)
        router.publish_built()
        return router.settle()

    cdef int forget(self) except -1:
        """Forget events that all who were offered them have acknowledged."""
        cdef:
            Member member
            uint64_t oldest, first = self.router.last_id + 1
        if not self.unfinished:
            return self.kept.clear()
        if self.kept.size() < self.kept_most:
            return 0
        for member in self.members:
            oldest = member.oldest()
            if oldest:
                first = min(first, oldest)
        self.kept.forget_before(first)
        self.kept_most = max(<size_t>KEPT, 2 * self.kept.size())
        return 0

    cdef bint clogged(self) except -1:
        cdef Member member
        for member in self.members:
            if member.clogged():
                return True
        return False

    cdef int flush(self) except -1:
        while self.router.flusher.flush(SENDS):
            pass
        return 0

    # --------------------------------------------------------------------- orders

    def check_open(self) -> None:
        """OrderError when nothing can happen in it now.

        RUN_OVER: it is; RUN_NOT_BEGUN: no event was published yet; RUN_WAITS: for a member that
        is away, which would miss it.
        """
        if self.over:
            raise OrderError(f"run {self.id} is over", code="RUN_OVER")
        if not self.instants:
            raise OrderError(f"run {self.id} has not begun: it has no time yet",
                             code="RUN_NOT_BEGUN")
        if self.away:
            raise OrderError(f"run {self.id} waits for a member that is away", code="RUN_WAITS")

    def trade(self, call):
        """Do ``call(broker, now)`` in the instant that it is, and return what it changed.

        What follows belongs to the instant's batch, after all its rows: it is published when this
        returns, unless the sockets take no more. No event of this instant fills an order of
        `call`. Raises what `check_open` and `call` do.
        """
        cdef Floor floor = self.floor
        cdef int64_t now = self.clock.time
        self.check_open()
        floor.show(now)
        if not self.rows:
            floor.ring(now)
        floor.broker.at(now)
        try:
            change = call(floor.broker, now)
            floor.announce(change)
        finally:
            floor.look()
            self.half = self.rows or floor.busy()
        self.turn()
        return change

    # ------------------------------------------------------------------------ end

    cdef int end(self) except -1:
        """It is over from now on, if it was not."""
        if not self.over:
            self.over = True
            self.ended = self.wall.now()
        return 0

    cdef int finish(self) except -1:
        if self.over or not self.tape.over:
            return 0
        self.end()
        self.news.append(Completed(self.totals()))
        self.tell()
        return 0

    def fail(self, str reason not None) -> None:
        """The data cannot be read on."""
        if not self.over:
            self.end()
            self.news.append(Failed(reason))
            self.tell()

    def release(self) -> None:
        """Nobody is in it any more: give back what it holds, and let go of who holds it.

        It is over then. Its totals can be asked still, and what its router has shown.
        """
        cdef Member member
        self.end()
        for member in self.members:
            member.gone = True
            member.outbox = None
        self.members.clear()
        self.tape.clear()
        self.kept.clear()
        self.floor = None
        self.on_news = None
        self.router.tap = None

    def totals(self) -> Totals:
        """What was published so far; the wall's time stands still when it is over."""
        cdef int64_t until = self.ended if self.over else self.wall.now()
        return Totals(
            events=self.router.last_id,
            instants=self.instants,
            first=self.first,
            last=self.clock.time,
            wall_seconds=(until - self.began) / 1e9 if self.begun else 0.0,
            bad_rows=self.bad_rows,
            kinds={kind: count for kind, count in self.router.counters().events.items() if count})

    def tick(self) -> None:
        """Go on without those for whom it has waited long enough."""
        cdef Member member
        cdef int64_t now = self.wall.now()
        if self.over:
            return
        for member in list(self.members):
            if member.outbox is None and now - member.away_since >= self.patience:
                self.quit(member, "away")
            elif (self.evict and self.begun and not self.over and now - self.since >= self.evict
                    and member.lags()):
                self.quit(member, "lagging")
