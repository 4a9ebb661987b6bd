"""The embeddable router: flow control, batches, and a loop that is never starved."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from fastrouter import Candle, Event, Quote, Router
from fastrouter.core.clock import Clock
from fastrouter.core.dialect import Dialect
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.embed import CLOSE_GRACE, DRAIN_MARK, SENDS_A_TURN
from fastrouter.errors import EventError

START = 1_735_689_600_000_000_000  # 2025-01-01T00:00:00Z, ns
SECOND = 1_000_000_000


def quote(bid: float = 1.0) -> Quote:
    return Quote("S:A", bid=bid, ask=bid + 1)


@pytest.fixture
def router() -> Router:
    return Router()


def attach(router: Router, count: int = 1, dialect: Dialect | None = None) -> list[MemorySink]:
    sinks = [MemorySink() for _ in range(count)]
    dialect = dialect or load("trading-api")
    for sink in sinks:
        router.attach(sink, dialect).subscribe([("*", "quote")])
    return sinks


async def test_flushed_before_whoever_runs_next_in_the_loop(router):
    (sink,) = attach(router)
    router.publish(quote())
    await asyncio.sleep(0)
    assert len(sink.messages()) == 1


async def test_a_large_fan_out_gives_the_loop_its_turn(router):
    sinks = attach(router, 10 * SENDS_A_TURN)
    router.publish(quote())
    most = written = 0
    while written < len(sinks):
        await asyncio.sleep(0)
        now = sum(sink.writes for sink in sinks)
        most, written = max(most, now - written), now
    assert most <= SENDS_A_TURN


async def test_drained_waits_until_the_slowest_is_near(router):
    sinks = attach(router, 4 * SENDS_A_TURN)
    for n in range(1000):
        router.publish(quote(float(n)))
    assert router.pending > DRAIN_MARK
    await router.drained()
    assert router.pending <= DRAIN_MARK
    await asyncio.sleep(0)
    assert all(sink.writes for sink in sinks[:10])


async def test_drained_sends_before_whoever_waits_for_the_loop(router):
    (sink,) = attach(router)
    seen = []
    asyncio.get_running_loop().call_soon(lambda: seen.append(len(sink.messages())))
    router.publish(quote())
    await router.drained()
    assert seen == [1]


async def test_a_flush_that_fails_is_not_the_feeds_fault(router):
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    attach(router)
    router.flush = lambda most: 1 / 0
    router.publish(quote())
    await router.drained()
    del router.flush
    assert [type(one["exception"]) for one in failures[:1]] == [ZeroDivisionError]


async def test_drained_always_gives_the_loop_a_turn(router):
    ran = []
    asyncio.get_running_loop().call_soon(ran.append, 1)
    await router.drained()
    assert ran == [1]


async def test_a_cancelled_drained_leaves_the_others_waiting(router):
    attach(router, 20 * SENDS_A_TURN)
    for n in range(1000):
        router.publish(quote(float(n)))
    first = asyncio.ensure_future(router.drained())
    second = asyncio.ensure_future(router.drained())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()


async def test_a_batch_leaves_when_it_ends_even_by_an_exception(router):
    (sink,) = attach(router)

    async def batch():
        with router.batch():
            router.publish(quote())
            await asyncio.sleep(0)
            assert sink.writes == 0
            raise KeyError

    with pytest.raises(KeyError):
        await batch()
    await asyncio.sleep(0)
    assert len(sink.messages()) == 1


async def test_a_dialect_that_raises_does_not_stop_the_others(router):
    class Broken(Dialect):
        def encode(self, event):
            raise LookupError("broken")

    reported = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: reported.append(context["exception"]))
    router.publish(quote())
    attach(router, 1, Broken("broken"))  # owed a snapshot, which is encoded in the flush
    (sink,) = attach(router)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [type(error) for error in reported] == [LookupError]
    assert len(sink.messages()) == 1


def test_without_a_loop_publishing_is_for_nobody(router):
    router.publish(quote())
    assert router.counters().published == 1


async def test_a_paced_session_gets_its_last_value_though_nothing_more_is_published(router):
    sink = MemorySink()
    outbox = router.attach(sink, load("trading-api"))
    outbox.subscribe([("*", "quote")])
    outbox.pace(5_000_000)
    for bid in range(20):
        router.publish(quote(float(bid)))
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        while b'"bid":"19"' not in sink.data:  # noqa: ASYNC110 -- a memory sink tells nobody
            await asyncio.sleep(0.001)
    assert router.next_due is None


class Watching(Dialect):
    """Puts the candles it is to encode into a queue."""

    def __init__(self):
        super().__init__("watching")
        self.candles: asyncio.Queue[Candle] = asyncio.Queue()

    def encode(self, event):
        self.candles.put_nowait(event)
        return b"{}"


class TestCandles:
    """The clock stands but for the tests; the loop's timers ring by their own."""

    @pytest.fixture
    def clock(self):
        return Clock(START + SECOND // 2)

    @pytest.fixture
    def router(self, clock):
        return Router(clock=clock, candles=("1s",))

    @pytest.fixture
    def watched(self, router):
        dialect = Watching()
        router.attach(MemorySink(), dialect).subscribe([("*", "candle@1s")])
        return dialect.candles

    async def test_the_clock_closes_a_silent_one_with_a_grace(self, router, clock, watched):
        router.publish(quote(1.0))
        assert not (await watched.get()).closed
        clock.set(START + SECOND + CLOSE_GRACE - 1)
        router._close_due()
        router.publish(Quote("S:A", bid=2.0, ask=3.0, time=START + SECOND - 1))
        assert router.late == 0, "within the grace it counts"
        clock.set(START + SECOND + CLOSE_GRACE)
        candle = await watched.get()
        assert (candle.closed, candle.time, candle.close, candle.volume) == (True, START, 2.5, 2.0)
        assert router.next_close is None
        router.publish(Quote("S:A", bid=2.0, ask=3.0, time=START + SECOND - 1))
        assert router.late == 1

    async def test_history_is_closed_by_its_quotes_alone(self, router, clock, watched):
        for second in range(3):
            time = START - 60 * SECOND + second * SECOND
            router.publish(Quote("S:A", bid=1.0, ask=1.0, time=time))
            router.publish(Quote("S:A", bid=second, ask=second, time=time + 1))
            await asyncio.sleep(0)
        assert router.next_live_close is None
        candles = [watched.get_nowait() for _ in range(watched.qsize())]
        closed = [(candle.volume, candle.close) for candle in candles if candle.closed]
        assert closed == [(2.0, 0.0), (2.0, 1.0)]
        assert router.late == 0

    async def test_the_last_forming_one_arrives(self, router, watched):
        router.publish(quote(1.0))
        router.publish(quote(2.0))
        assert [(await watched.get()).close for _ in range(2)] == [1.5, 2.5]

    async def test_what_was_published_before_the_loop_ran(self):
        made = await asyncio.to_thread(before_the_loop)
        assert made.next_live_close == START + SECOND
        server = await made.serve(port=0)
        made.clock.set(START + 2 * SECOND)
        while made.next_close is not None:  # noqa: ASYNC110 -- that of the loop's timer
            await asyncio.sleep(0)
        await server.close(0)

    async def test_without_a_loop_who_waits_is_an_error(self, router, watched):
        with pytest.raises(RuntimeError, match="no running event loop"):
            await asyncio.to_thread(router.publish, quote())

    def test_statistics_are_off_unless_asked_for(self):
        router = Router()
        router.publish(quote())
        assert (router.candles, router.statistics, router.day("S:A")) == ((), False, None)
        router = Router(statistics=True, price="mid")
        router.publish(Quote("S:A", bid=1.0, ask=2.0, last=9.0))
        assert router.day("S:A").last == 1.5


def before_the_loop():
    router = Router(clock=Clock(START), candles=("1s",))
    router.publish(quote())
    router.publish(quote())
    return router


class TestPayloads:
    """What is no quote or candle is what its kind's model says."""

    @pytest.fixture
    def sink(self, router):
        sink = MemorySink()
        kinds = [("*", kind) for kind in ("order", "job")]
        router.attach(sink, load("trading-api")).subscribe(kinds)
        return sink

    @pytest.mark.parametrize(
        "event",
        [
            ("order", {"id": "1", "symbol": "S:A", "qty": float("nan")}),
            ("order", [1]),
            ("order", None),
            ("nonsense", {}),
            ("quote", {}),
            (Event("order", {"symbol": "S:A"}),),
        ],
    )
    async def test_what_the_model_refuses_is_not_published(self, router, sink, event):
        with pytest.raises(EventError):
            router.publish(*event)
        assert router.counters().published == 0
        assert router.flush() is False
        assert sink.messages() == []

    async def test_it_is_routed_as_the_model_says(self, router, sink):
        given = {"symbol": "S:A", "qty": 10, "id": "1"}
        router.publish("order", given)
        router.publish(Event("order", given))
        router.flush()
        for message in sink.messages():
            assert b'"order":{"id":"1","symbol":"S:A","qty":"10"}' in message
        assert given == {"symbol": "S:A", "qty": 10, "id": "1"}

    async def test_the_symbol_of_the_topic_is_the_payloads_and_a_jobs_its_id(self, router):
        order, job = {"id": "1", "symbol": "S:A"}, {"id": "j", "job_type": "x", "status": "pending"}
        router.publish("order", order)
        router.publish(Event("order", order))
        router.publish("order", order, symbol="S:B")
        router.publish("job", job)
        router.publish("account", {"id": "a"})
        symbols = [entry.symbol for entry in router.journal.tail.page(0, 1 << 16)]
        assert symbols == ["S:A", "S:A", "S:B", "j", ""]


def test_models_are_not_imported_for_market_data():
    code = "import sys, fastrouter; fastrouter.Router; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


async def test_market_data_may_be_published_by_its_kind():
    router = Router()
    sink = MemorySink()
    router.attach(sink, load("trading-api")).subscribe([("*", "quote"), ("*", "candle@1m")])
    router.publish("quote", {"symbol": "S:A", "bid": 1, "ask": 2}, time=START)
    bar = {"open": 1, "high": 2, "low": 1, "close": 2, "time": "2025-01-01T00:00:00Z"}
    router.publish("candle", {"symbol": "S:A", **bar})
    router.flush(10)
    quote, candle = map(load("trading-api").decode, sink.messages())
    assert (quote.bid, quote.last, quote.time) == (1.0, 1.5, START)
    assert (candle.close, candle.time, candle.closed) == (2.0, START, True)
    with pytest.raises(EventError, match="quote: "):
        router.publish("quote", {"symbol": "S:A", "bid": 1})


async def test_an_account_belongs_to_itself():
    router = Router()
    sinks = [MemorySink(), MemorySink()]
    for sink, name in zip(sinks, ("u1", "u2"), strict=True):
        outbox = router.attach(sink, load("trading-api"))
        outbox.allow([name])
        outbox.subscribe([("*", "account")])
    router.publish("account", {"id": "u1"})
    router.flush(10)
    assert [len(sink.messages()) for sink in sinks] == [1, 0]


async def test_a_risk_event_belongs_to_the_account_that_it_names():
    router = Router()
    sinks = [MemorySink(), MemorySink(), MemorySink()]
    for sink, accounts in zip(sinks, (["u1"], [], None), strict=True):
        outbox = router.attach(sink, load("orchestrator"))
        outbox.allow(accounts)
        outbox.subscribe([("*", "risk")])
    router.publish("risk", {"rule": "maxDailyLoss", "account_id": "u1"})
    router.publish("risk", {"rule": "anybodys"})
    router.flush(10)
    assert [len(sink.messages()) for sink in sinks] == [2, 1, 2]


def test_a_quote_from_the_future_ends_no_candles():
    router = Router(candles=("1m",), statistics=True)
    far = time.time_ns() + 3600 * SECOND
    router.publish(Quote("S:A", bid=1.0, ask=1.0, time=far))
    assert router.day("S:A") is None
    router.publish(Quote("S:A", bid=2.0, ask=2.0))
    assert (router.early, router.late, router.day("S:A").high) == (1, 0, 2.0)
