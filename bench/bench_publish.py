"""What a publish costs: without subscribers, with one session, with a thousand; flush; decode.

Sinks take everything and keep nothing. Publishing is done from Python, as a feed does it, in bursts
of 64 without a flush between: the first of a burst puts the session into the queue, the others
append. The cost of a session is the slope between one and a thousand.
"""

from time import sleep

import numpy as np
import pytest

from fastrouter.bench.aims import Aim, ns, ratio, slope
from fastrouter.bench.stream import START, quotes
from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE
from fastrouter.core.event import Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink, NullSink
from fastrouter.dialects import load
from fastrouter.journal.journal import Journal
from fastrouter.net.clock import MonotonicClock

ROWS = 10_000
BURST = 64
SESSIONS = 1_000
EVERYTHING = [("*", "quote")]
LOSSLESS = [("*", "order"), ("*", "candle@1m")]
CANDLES = 100_000
ORDERS = 1_000
MINUTE = 60_000_000_000  # ns

AIMS = [
    Aim(
        "a row when other symbols are watched, beside one when none is",
        1.1,
        ratio("publish_watched[others]", "publish_watched[none]"),
    ),
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
    Aim(
        "a closed candle of a batch, journal in memory, ns",
        500,
        ns("publish_closed_candles[memory-0]"),
    ),
    Aim("... in a file, ns", 1500, ns("publish_closed_candles[file-0]")),
    Aim(
        "what a journal in memory adds to an order, ns",
        1000,
        slope("publish_orders[memory-0]", "publish_orders[none-0]", 1),
    ),
    Aim("... in a file, ns", 3000, slope("publish_orders[file-0]", "publish_orders[none-0]", 1)),
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


#: who trades -> the symbols that are watched, of those 200 that are published
WATCHED = {
    "none": [],
    "others": [f"S:OTHER{number}" for number in range(100)],
    "all": sorted({event.symbol for event in events(200)}),
}


@pytest.mark.parametrize("who", WATCHED)
def test_publish_watched(per_item, who):
    """A row of 10,000 to no session; when all are watched, its place in the queue is in it."""
    router = served(0)
    rows = quotes(ROWS)
    for symbol in WATCHED[who]:
        router.market.watch(symbol)
    router.publish_batch(rows)
    assert router.market.pending == (ROWS if who == "all" else 0)

    def empty():
        while router.market.take(ROWS):
            pass

    per_item(lambda: router.publish_batch(rows), ROWS, setup=empty, rounds=100)


def candles(count):
    """Closed 1m candles of 200 symbols."""
    rows = np.zeros(count, CANDLE_DTYPE)
    number = np.arange(count)
    rows["symbol"] = [f"S:SYM{n % 200:03}" for n in range(count)]
    rows["timeframe"], rows["closed"] = "1m", True
    rows["time"] = START + number // 200 * MINUTE
    for field in ("open", "high", "low", "close"):
        rows[field] = 100 + number % 1000 / 100
    rows["volume"] = 1000
    return rows


@pytest.fixture(params=["none", "memory", "file"])
def recorder(request, tmp_path):
    """The journal of a router: none, in memory, in a file."""
    if request.param == "none":
        yield None
        return
    with Journal(tmp_path / "journal.db" if request.param == "file" else None) as journal:
        yield journal


def recording(recorder, sessions):
    """A router with a journal, so many sessions, and what to call before each round."""
    router = Router(clock=Clock(START), timer=MonotonicClock(), recorder=recorder)
    if recorder is not None:
        recorder.follow(router)
    for _ in range(sessions):
        router.attach(NullSink(), load("trading-api")).subscribe(LOSSLESS)

    def settle():
        drain(router)
        while recorder is not None and recorder.disk and recorder.disk.writer.backlog:
            sleep(0.01)

    return router, settle


def check_recorded(recorder, count):
    if recorder is not None:
        assert recorder.recorded == count
        assert recorder.disk is None or recorder.disk.writer.lost == 0


@pytest.mark.parametrize("sessions", [0, 1])
def test_publish_closed_candles(per_item, recorder, sessions):
    """Bars of a file, as fast as possible: what the journal adds on the publishing thread."""
    router, settle = recording(recorder, sessions)
    rows = candles(CANDLES)
    router.publish_batch(rows)
    settle()
    assert router.counters().delivered == CANDLES * sessions
    check_recorded(recorder, CANDLES)
    per_item(lambda: router.publish_batch(rows), CANDLES, setup=settle, rounds=5)
    check_recorded(recorder, router.counters().published)


@pytest.mark.parametrize("sessions", [0, 1])
def test_publish_orders(per_item, recorder, sessions):
    router, settle = recording(recorder, sessions)
    order = {"symbol": "S:AAPL", "id": "abc-123", "event": "ORDER_FILLED", "qty": "100",
             "price": "150.25", "side": "buy", "account_id": "main"}  # fmt: skip

    def call():
        for _ in range(ORDERS):
            router.publish("order", order)

    call()
    settle()
    assert router.counters().delivered == ORDERS * sessions
    check_recorded(recorder, ORDERS)
    per_item(call, ORDERS, setup=settle, rounds=30)
    check_recorded(recorder, router.counters().published)


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
