"""Sessions that stall, drain, come and go, against an oracle that says the lanes' rules slowly.

The quick form is what every run does; the long one is
``pytest --hypothesis-profile=long --timeout=0 tests/core/test_outbox_stateful.py``.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import QUOTE_DTYPE
from fastrouter.core.kinds import ACCOUNT_KINDS
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load

from .oracle import LONGEST_MARKET_FRAME, Oracle, Published, Second
from .peer import SECOND, START, Kept, candle, quote

MOST_SESSIONS = 4
FORMING_INTERVAL = 950_000_000  # ns: the router's own
RING = 1 << 16  # bytes: the least there is
TOTAL = 1 << 16  # bytes: what all sessions may hold together

#: instances, so that sessions of one envelope get different bytes
DIALECTS = {True: load("trading-api"), False: load("trading-api", decimals="number")}

#: what any session may get events of EVENT_KINDS in, beside its own
SECOND_DIALECT = Second()

#: few of each, so that what is published meets what is subscribed to
SYMBOLS = ("S:A", "C:A")
EVENT_KINDS = ("order", "signal")
topics = st.tuples(
    st.sampled_from(("*", "S:*", *SYMBOLS)),
    st.sampled_from(("quote", "candle@1m", *EVENT_KINDS)),
)
everything = [("*", kind) for kind in ("quote", "candle@1m", *EVENT_KINDS)]
other_topics = st.lists(
    st.tuples(st.sampled_from(("*", "S:*", *SYMBOLS)), st.sampled_from(EVENT_KINDS)),
    min_size=1,
    max_size=3,
)
some_topics = st.one_of(st.just(everything), st.lists(topics, min_size=1, max_size=5))
symbol = st.sampled_from(SYMBOLS)
account = st.sampled_from(("a", "b"))
place = st.integers(0, MOST_SESSIONS - 1)
#: bytes: nothing, the middle of a header, of a frame, some frames
room = st.one_of(st.none(), st.sampled_from((0, 1, 3)), st.integers(0, 3000))
#: bytes beside what an event says: some fill the ring and a session's bound in a few steps
padding = st.sampled_from((0, 0, 0, 100, 7000))
bounds = st.sampled_from((1 << 12, 1 << 14, 1 << 20))


class Sessions(RuleBasedStateMachine):
    """A router with the least ring there is, and sessions with bounds down to 4 KiB."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(START)
        self.recorder = Kept()
        self.router = Router(
            clock=self.clock, outbox_bytes=1 << 12, total_bytes=TOTAL, recorder=self.recorder
        )
        self.router.wake = self.wake
        self.woken = False
        self.batches = 0
        self.oracles: list[Oracle] = []
        self.lossless: list[Published] = []
        self.seqs: dict[tuple[str, str], int] = {}
        self.values: dict[tuple[str, str], Published] = {}
        self.forming_at: dict[str, int] = {}
        self.listed: dict[str, int] = {}  # forming candles that came too soon; 0: not the last
        self.last_id = 0
        self.numbers = 0

    def wake(self) -> None:
        self.woken = True

    def oracle(self, place: int) -> Oracle:
        return self.oracles[place % len(self.oracles)]

    def number(self) -> int:
        """A value that no other event has."""
        self.numbers += 1
        return self.numbers

    def stamp(self, topic, lossless, value, size, account="") -> Published:
        self.last_id += 1
        self.seqs[topic] = self.seqs.get(topic, 0) + 1
        event = Published(topic, self.last_id, self.seqs[topic], lossless, value, size, account)
        if lossless:
            self.lossless.append(event)
        if topic[1] not in EVENT_KINDS:
            self.values[topic] = event
        return event

    def offer(self, event: Published) -> None:
        """A publish may send what waited before, but never a value before it is offered."""
        for oracle in self.oracles:
            if event.topic in self.values:
                oracle.read()
            oracle.published(event)

    # --------------------------------------------------------------- sessions

    @initialize(patterns=some_topics, strings=st.booleans(), bound=bounds, room=room)
    def begin(self, patterns, strings, bound, room):
        self.attach(patterns, strings, bound, room)

    @precondition(lambda self: len(self.oracles) < MOST_SESSIONS)
    @rule(patterns=some_topics, strings=st.booleans(), bound=bounds, room=room)
    def attach(self, patterns, strings, bound, room):
        sink = MemorySink(room)
        outbox = self.router.attach(sink, DIALECTS[strings], outbox_bytes=bound)
        dialects = self.router.encoder.dialects
        self.oracles.append(
            Oracle(outbox, sink, self.clock, strings, bound, SECOND_DIALECT, dialects)
        )
        self.oracles[-1].subscribe(patterns, self.values)

    @rule(place=place, patterns=some_topics)
    def subscribe(self, place, patterns):
        self.oracle(place).subscribe(patterns, self.values)

    @rule(place=place, patterns=some_topics, known=st.booleans())
    def unsubscribe(self, place, patterns, known):
        oracle = self.oracle(place)
        oracle.unsubscribe(sorted(oracle.patterns)[: len(patterns)] if known else patterns)

    @rule(place=place, patterns=other_topics)
    def subscribe_in_the_second_dialect(self, place, patterns):
        self.oracle(place).subscribe_others(patterns)

    @rule(place=place, patterns=other_topics)
    def unsubscribe_in_the_second_dialect(self, place, patterns):
        self.oracle(place).unsubscribe_others(patterns)

    @rule(place=place)
    def move_to_the_second_dialect(self, place):
        oracle = self.oracle(place)
        moved = sorted(pattern for pattern in oracle.patterns if pattern[1] in EVENT_KINDS)
        oracle.subscribe_others(moved)
        oracle.unsubscribe(moved)

    @rule(place=place)
    def leave_and_return(self, place):
        oracle = self.oracle(place)
        patterns = sorted(oracle.patterns)
        oracle.unsubscribe(patterns)
        oracle.subscribe(patterns, self.values)

    @precondition(lambda self: len(self.oracles) > 1)
    @rule(place=place)
    def close(self, place):
        self.oracles.pop(place % len(self.oracles)).outbox.close()

    @rule(place=place, padding=padding)
    def control(self, place, padding):
        self.oracle(place).control(self.number(), padding)

    @rule(place=place, accounts=st.one_of(st.none(), st.sets(account)))
    def allow(self, place, accounts):
        self.oracle(place).allow(accounts)

    @rule(place=place, interval=st.sampled_from((0, SECOND, 3 * SECOND)))
    def pace(self, place, interval):
        self.oracle(place).pace(interval)

    # ----------------------------------------------------------------- resume

    @rule(place=place)
    def hold(self, place):
        self.oracle(place).hold(self.lossless)

    @precondition(lambda self: any(oracle.held for oracle in self.oracles))
    @rule(place=place, count=st.integers(1, 9))
    def replay(self, place, count):
        held = [oracle for oracle in self.oracles if oracle.held]
        held[place % len(held)].replay(self.lossless, self.recorder.records, count)

    @precondition(lambda self: any(oracle.held for oracle in self.oracles))
    @rule(place=place)
    def go_live(self, place):
        held = [oracle for oracle in self.oracles if oracle.held]
        self.bring_up_to_date(held[place % len(held)])

    def bring_up_to_date(self, oracle):
        if oracle.held:
            oracle.replay(self.lossless, self.recorder.records, len(self.lossless))
        oracle.go_live(self.values)

    # ------------------------------------------------------------------ sinks

    @rule(place=place, room=room)
    def give(self, place, room):
        oracle = self.oracle(place)
        oracle.sink.give(room)
        oracle.outbox.resume()

    @rule(place=place)
    def block(self, place):
        self.oracle(place).outbox.block()

    @rule(place=place)
    def flush_one(self, place):
        self.oracle(place).flush()

    @rule(budget=st.integers(1, 7))
    def flush(self, budget):
        self.show()
        self.woken = self.router.flush(budget)  # true: whoever called it has to come again

    def show(self):
        """A flush sends the last of the forming candles that came too soon, when it is time."""
        now = self.clock.time_ns()
        waiting = [symbol for symbol, number in self.listed.items() if number]
        if all(now < self.forming_at[symbol] + SECOND for symbol in waiting):
            return
        for symbol, number in list(self.listed.items()):
            if number and now - self.forming_at[symbol] < FORMING_INTERVAL:
                continue
            if self.listed.pop(symbol):
                self.forming_at[symbol] = now
                topic = symbol, "candle@1m"
                self.offer(self.stamp(topic, False, number, LONGEST_MARKET_FRAME))

    @rule()
    def begin_batch(self):
        self.batches += 1
        self.router.flusher.begin()

    @precondition(lambda self: self.batches)
    @rule()
    def end_batch(self):
        self.batches -= 1
        self.router.flusher.end()

    # ---------------------------------------------------------------- publish

    @rule(symbols=st.lists(symbol, min_size=1, max_size=6))
    def publish_quotes(self, symbols):
        for symbol in symbols:
            number = self.number()
            self.router.publish(quote(symbol, number))
            self.offer(self.stamp((symbol, "quote"), False, number, LONGEST_MARKET_FRAME))

    @rule(symbols=st.lists(symbol, min_size=1, max_size=60))
    def publish_batch(self, symbols):
        rows = np.zeros(len(symbols), QUOTE_DTYPE)
        rows["symbol"] = symbols
        rows["bid"] = [self.number() for _ in symbols]
        for oracle in self.oracles:
            oracle.read()
        for row in rows:
            topic = row["symbol"].decode(), "quote"
            event = self.stamp(topic, False, int(row["bid"]), LONGEST_MARKET_FRAME)
            for oracle in self.oracles:
                oracle.published(event)
        self.router.publish_batch(rows)

    @rule(symbol=symbol, closed=st.lists(st.booleans(), min_size=1, max_size=4))
    def publish_candles(self, symbol, closed):
        for one in closed:
            self.publish_candle(symbol, one, SECOND)

    @rule(symbol=symbol)
    def publish_throttled(self, symbol):
        self.publish_candle(symbol, False, SECOND // 2)

    def publish_candle(self, symbol, closed, wait):
        number = self.number()
        self.clock.set(self.clock.time_ns() + wait)
        self.router.publish(candle(symbol, number, closed))
        if not closed:
            now = self.clock.time_ns()
            if now - self.forming_at.get(symbol, 0) < FORMING_INTERVAL:
                event = self.stamp((symbol, "candle@1m"), False, number, LONGEST_MARKET_FRAME)
                for oracle in self.oracles:
                    oracle.throttled(event)
                self.listed[symbol] = number
                return
            self.forming_at[symbol] = now
        if symbol in self.listed:
            self.listed[symbol] = 0
        self.offer(self.stamp((symbol, "candle@1m"), closed, number, LONGEST_MARKET_FRAME))

    @rule(
        symbol=symbol,
        kind=st.sampled_from(EVENT_KINDS),
        padding=padding,
        count=st.integers(1, 4),
        account=account,
    )
    def publish_events(self, symbol, kind, padding, count, account):
        whose = account if kind in ACCOUNT_KINDS else ""
        size = padding + LONGEST_MARKET_FRAME
        for _ in range(count):
            number = self.number()
            payload = {"symbol": symbol, "n": number, "padding": "x" * padding}
            self.router.publish(kind, payload, account=account)
            self.offer(self.stamp((symbol, kind), True, number, size, whose))

    # -------------------------------------------------------------- invariants

    @invariant()
    def what_came_is_right(self):
        for oracle in self.oracles:
            oracle.read()

    @invariant()
    def who_is_over_its_bound_is_given_up(self):
        total = sum(oracle.waiting() for oracle in self.oracles)
        for oracle in [one for one in self.oracles if one.sink.overflowed]:
            assert oracle.waiting() > oracle.bound or total > TOTAL
            assert oracle.outbox.backlog == 0
            oracle.outbox.close()
            self.oracles.remove(oracle)
        if not self.oracles:
            self.attach([("*", "quote")], True, 1 << 20, None)

    @invariant()
    def memory_is_bounded(self):
        assert self.router.pending <= RING
        for oracle in self.oracles:
            assert oracle.outbox.backlog <= oracle.most()
        assert self.router.counters().backlog_bytes <= TOTAL

    @invariant()
    def who_waits_has_woken_the_owner(self):
        waits = [o for o in self.oracles if o.outbox.waiting and not o.outbox.blocked]
        now = [o for o in waits if not o.interval]
        assert self.woken or self.batches or not now
        assert self.woken or self.batches or not waits or self.router.next_due is not None

    @invariant()
    def every_event_is_in_one_place(self):
        counters = self.router.counters()
        assert (
            sum(counters.offered.values()) + counters.snapshots + counters.replayed
            == counters.delivered
            + sum(counters.conflated.values())
            + sum(counters.dropped.values())
            + counters.waiting
        )
        assert counters.published == self.last_id
        assert sum(counters.latency.buckets) <= sum(counters.batch.buckets) == counters.sends
        assert counters.batch.sum == counters.delivered
        assert counters.backlog_most <= counters.backlog_bytes

    def flush_all(self):
        self.show()
        while self.router.flush(3):
            pass
        for oracle in self.oracles:
            oracle.read()

    def teardown(self):
        for oracle in self.oracles:
            self.bring_up_to_date(oracle)
        self.who_is_over_its_bound_is_given_up()  # all that is replayed at once can be too much
        for oracle in self.oracles:
            oracle.sink.give()
            oracle.outbox.resume()
        self.flush_all()
        while self.router.next_due is not None:
            self.clock.set(max(self.clock.time_ns(), self.router.next_due))
            self.flush_all()
        for oracle in self.oracles:
            oracle.complete()
        assert self.router.pending == 0
        assert self.router.counters().waiting == 0
        assert self.router.flusher.idle


TestSessions = Sessions.TestCase
