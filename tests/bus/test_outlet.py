"""A router's events on the bus, read by a plain subscriber in a process of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fastrouter.bus.outlet import Outlet
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.embed import Router
from fastrouter.errors import ConfigError, EventError

from ..models.test_models import LEAST
from ..net.wire import until
from .peer import Peer, subscriber


@asynccontextmanager
async def published(**options: Any) -> AsyncIterator[tuple[Router, Outlet]]:
    router = Router()
    outlet = Outlet(router, "tcp://127.0.0.1:0", **options)
    try:
        yield router, outlet
    finally:
        await outlet.close()


async def heard(outlet: Outlet, peers: int = 1) -> None:
    await until(lambda: outlet.publisher.subscribers == peers)


async def read(peer: Peer, count: int) -> list[dict[str, Any]]:
    """Messages: what stands in front must be their type."""
    found = []
    for _ in range(count):
        topic, _, body = (await peer.line()).partition(b" ")
        found.append(json.loads(body))
        assert found[-1]["type"] == topic.decode()
    return found


async def test_the_kinds_that_dgbit_has():
    async with published() as (router, outlet), subscriber(outlet.publisher.address) as peer:
        await heard(outlet)
        router.publish(Quote("S:A", bid=1, ask=2))  # not one of them
        router.publish("account", LEAST["account"])
        for kind in ("job", "signal", "position", "trade", "order"):
            router.publish(kind, LEAST[kind])
        job, signal, entered, executed, order = await read(peer, 5)
        assert job["type"] == "job.created"
        assert job["payload"]["job_id"] == LEAST["job"]["id"]
        assert signal["payload"]["direction"] == "long"
        assert (entered["type"], entered["payload"]["entry_price"]) == ("trade.entered", 42150)
        assert (executed["type"], executed["payload"]["side"]) == ("trade.executed", "buy")
        assert order["payload"]["symbol"] == "S:AAPL"
        assert outlet.failures == 0


async def test_other_kinds_when_asked_for():
    kinds = ("quote", "candle")
    async with (
        published(kinds=kinds) as (router, outlet),
        subscriber(outlet.publisher.address) as peer,
    ):
        await heard(outlet)
        router.publish("job", LEAST["job"])
        router.publish(Quote("S:A", bid=1, ask=2))
        router.publish(Candle("S:A", timeframe="5m", open=1, high=2, low=1, close=2, time=0))
        quote, candle = await read(peer, 2)
    assert (quote["type"], quote["payload"]["bid"]) == ("quote", 1)
    assert (candle["type"], candle["payload"]["timeframe"]) == ("candle", "5m")


async def test_what_came_from_the_bus_is_not_sent_to_it():
    async with (
        published(kinds=("job", "quote")) as (router, outlet),
        subscriber(outlet.publisher.address) as peer,
    ):
        await heard(outlet)
        inbound = outlet.inbound()
        with inbound.batch():
            inbound.publish(Event("job", {**LEAST["job"], "id": "theirs"}))
            router.publish(Event("job", {**LEAST["job"], "id": "ours"}))
            inbound.publish(Quote("S:THEIRS", bid=1, ask=2))
            router.publish(Quote("S:OURS", bid=1, ask=2))
        await inbound.drained()
        job, quote = await read(peer, 2)
    assert job["payload"]["job_id"] == "ours"
    assert quote["payload"]["symbol"] == "S:OURS"


async def test_an_event_of_the_bus_that_fails_costs_no_other():
    """Its id goes to the next event, which is to be sent."""
    async with published() as (router, outlet), subscriber(outlet.publisher.address) as peer:
        await heard(outlet)
        with pytest.raises(EventError):
            outlet.inbound().publish(Event("job", {"id": "bad"}))
        router.publish("job", LEAST["job"])
        assert len(await read(peer, 1)) == 1


async def test_a_router_on_the_bus_is_no_slower_for_who_does_not_read():
    """A subscriber that never reads loses messages; publishing goes on, and memory is bounded."""
    async with published(buffer=16) as (router, outlet):
        async with subscriber(outlet.publisher.address, "job.failed") as peer:
            await heard(outlet)
            for number in range(2000):
                router.publish("job", {**LEAST["job"], "id": f"job-{number}", "error": "x" * 999})
                if number % 100 == 0:
                    await router.drained()
            router.publish("job", {**LEAST["job"], "status": "failed"})
            (failed,) = await read(peer, 1)
            assert failed["payload"]["status"] == "failed"
            assert outlet.publisher.sent == 2001
        assert router.counters().backlog_bytes == 0


async def test_closing_sends_what_waits_and_leaves_the_router_to_others():
    router = Router()
    outlet = Outlet(router, "tcp://127.0.0.1:0")
    async with subscriber(outlet.publisher.address) as peer:
        await heard(outlet)
        router.publish("job", LEAST["job"])
        await outlet.close()
        assert len(await read(peer, 1)) == 1
    router.publish("job", LEAST["job"])
    assert router.counters().sessions == 0


async def test_an_address_that_is_taken_leaves_no_outbox():
    async with published() as (router, outlet):
        with pytest.raises(ConfigError):
            Outlet(router, outlet.publisher.address)
        assert router.counters().sessions == 1
