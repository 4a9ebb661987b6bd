"""The embeddable router: flow control, batches, and a loop that is never starved."""

from __future__ import annotations

import asyncio

import pytest

from fastrouter import Quote, Router
from fastrouter.core.dialect import Dialect
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.embed import DRAIN_MARK, SENDS_A_TURN


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
