"""What a publish costs: without subscribers, with one session, with a thousand; flush; decode.

Sinks take everything and keep nothing. Publishing is done from Python, as a feed does it, in bursts
of 64 without a flush between: the first of a burst puts the session into the queue, the others
append. The cost of a session is the slope between one and a thousand.
"""

import pytest

from fastrouter.bench.aims import Aim, ns, slope
from fastrouter.bench.stream import START, quotes
from fastrouter.core.clock import Clock
from fastrouter.core.event import Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink, NullSink
from fastrouter.dialects import load
from fastrouter.net.clock import MonotonicClock

ROWS = 10_000
BURST = 64
SESSIONS = 1_000
EVERYTHING = [("*", "quote")]

AIMS = [
    Aim("publish() with no subscriber, ns", 250, ns("publish_to_nobody")),
    Aim("publish() to one session, encode included, ns", 250, ns("publish[1]")),
    Aim(
        f"append to each of {SESSIONS} matched sessions, ns",
        40,
        slope(f"publish[{SESSIONS}]", "publish[1]", SESSIONS - 1),
    ),
    Aim(
        "... when each publish is flushed, the visit included, ns",
        40,
        slope(f"publish_and_flush[{SESSIONS}]", "publish_and_flush[1]", SESSIONS - 1),
    ),
]


def events(count):
    """Quotes of 200 symbols as a feed hands them over."""
    return [
        Quote(symbol.decode(), bid=bid, ask=ask, last=last, bid_size=bought, ask_size=sold,
              time=time)
        for symbol, time, bid, ask, last, bought, sold in quotes(count).tolist()
    ]  # fmt: skip


def served(sessions, patterns=EVERYTHING):
    """A router that knows all symbols, and so many sessions."""
    router = Router(clock=Clock(START), timer=MonotonicClock())
    router.publish_batch(quotes(ROWS))
    dialect = load("trading-api")
    for _ in range(sessions):
        router.attach(NullSink(), dialect).subscribe(patterns)
    drain(router)
    return router


def drain(router):
    while router.flush(1024):
        pass


def publish_all(router, batch):
    publish = router.publish
    for event in batch:
        publish(event)


def test_publish_to_nobody(per_item):
    router = served(0)
    batch = events(ROWS)
    publish_all(router, batch)
    assert router.counters().published == 2 * ROWS
    assert router.counters().encoded == 0
    per_item(lambda: publish_all(router, batch), ROWS)


@pytest.mark.parametrize("sessions", [1, SESSIONS])
def test_publish(per_item, sessions):
    router = served(sessions)
    batch = events(BURST)
    before = router.counters()
    publish_all(router, batch)
    assert router.counters().encoded - before.encoded == BURST
    drain(router)
    after = router.counters()
    assert after.delivered - before.delivered == BURST * sessions
    assert after.sends - before.sends == sessions
    per_item(lambda: publish_all(router, batch), BURST, setup=lambda: drain(router), rounds=300)


@pytest.mark.parametrize("sessions", [1, SESSIONS])
def test_publish_and_flush(per_item, sessions):
    router = served(sessions)
    batch = events(BURST)
    before = router.counters().sends

    def call():
        for event in batch:
            router.publish(event)
            router.flush(SESSIONS)

    call()
    assert router.counters().sends - before == BURST * sessions
    per_item(call, BURST)


@pytest.mark.parametrize("sessions", [0, 1])
def test_publish_batch(per_item, sessions):
    """A row of 10,000; the inline flush of the one session is in it."""
    router = served(sessions)
    rows = quotes(ROWS)
    before = router.counters().delivered
    router.publish_batch(rows)
    drain(router)
    assert router.counters().delivered - before == ROWS * sessions
    per_item(lambda: router.publish_batch(rows), ROWS, setup=lambda: drain(router))


def test_what_arrives_is_what_was_published(per_item):
    """Every quote of a burst, in order, to each of ten sessions; a delivery, kept in memory."""
    router = served(0)
    dialect = load("trading-api")
    sinks = [MemorySink() for _ in range(10)]
    for sink in sinks:
        router.attach(sink, dialect).subscribe(EVERYTHING)
    drain(router)
    for sink in sinks:
        sink.messages()
    batch = events(BURST)
    publish_all(router, batch)
    drain(router)
    received = [[dialect.decode(message) for message in sink.messages()] for sink in sinks]
    wanted = [(q.symbol, q.bid, q.ask, q.time // 1000 * 1000) for q in batch]  # us on the wire
    for quotes_of_one in received:
        assert [(q.symbol, q.bid, q.ask, q.time) for q in quotes_of_one] == wanted

    def call():
        publish_all(router, batch)
        drain(router)

    def forget():
        for sink in sinks:
            sink.messages()

    per_item(call, BURST * len(sinks), setup=forget)


@pytest.mark.parametrize("waiting", [1, 16])
def test_visit(per_item, waiting):
    """A session's turn in the flusher, with so many frames waiting that others wait for, too."""
    router = served(SESSIONS)
    batch = events(waiting)
    before = router.counters()

    def setup():
        drain(router)
        publish_all(router, batch)

    setup()
    assert not router.flush(SESSIONS)
    after = router.counters()
    assert after.sends - before.sends == SESSIONS
    assert after.delivered - before.delivered == SESSIONS * waiting
    per_item(lambda: router.flush(SESSIONS), SESSIONS, setup=setup)


def test_build_quote(per_item):
    count = 1000
    rows = [(row[0].decode(), *row[1:]) for row in quotes(count).tolist()]

    def call():
        for symbol, time, bid, ask, last, bought, sold in rows:
            Quote(symbol, bid=bid, ask=ask, last=last, bid_size=bought, ask_size=sold, time=time)

    per_item(call, count)


@pytest.mark.parametrize("form", ["string", "number"])
def test_decode(per_item, form):
    """What the client does with a message."""
    router = Router(clock=Clock(START))
    dialect = load("trading-api", decimals=form)
    sink = MemorySink()
    router.attach(sink, dialect).subscribe(EVERYTHING)
    batch = events(1000)
    publish_all(router, batch)
    drain(router)
    messages = sink.messages()
    back = [dialect.decode(message) for message in messages]
    assert [(q.symbol, q.bid, q.ask_size) for q in back] == [
        (q.symbol, q.bid, q.ask_size) for q in batch
    ]

    def call():
        for message in messages:
            dialect.decode(message)

    per_item(call, len(messages))
