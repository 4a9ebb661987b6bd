"""What operators see of real sessions, and how they end them."""

from __future__ import annotations

import pytest

from fastrouter import Quote
from fastrouter.net.registry import Registry

from .wire import Wire, turns


@pytest.fixture
async def server(serve):
    return await serve(subscriptions="S:A:quote", path=("/ws", "/other"))


@pytest.fixture
def registry(server) -> Registry:
    return Registry([server])


async def test_a_session_is_described(server, registry, router, open_session):
    before = router.clock.time_ns()
    wire = await open_session(server, "/other")
    router.publish(Quote("S:A", bid=1, ask=2))
    await wire.message()
    wire.say({"type": "event_ack", "correlation_id": "c", "events_processed": [], "timestamp": 1})
    wire.say({"type": "subscribe", "subscriptions": ["C:*:quote"]})
    await wire.message()
    (view,) = registry.page("", 10, None, None)
    assert (view.address, view.path, view.dialect) == ("127.0.0.1", "/other", "trading-api")
    assert view.subscriptions == ["S:A:quote", "C:*:quote"]
    assert (view.subject, view.backlog, view.conflated, view.delivered) == (None, 0, 0, 1)
    assert before <= view.connected_at <= router.clock.time_ns()
    assert view.last_ack == pytest.approx(view.connected_at, abs=10e9)
    assert registry.find(view.id)._replace(last_ack=None) == view._replace(last_ack=None)


async def test_one_that_never_acked(server, registry, open_session):
    await open_session(server)
    (view,) = registry.page("", 10, None, None)
    assert view.last_ack is None


async def test_pages_go_by_id_over_all_servers(serve, server, open_session):
    other = await serve()
    for number in range(6):
        await open_session((server, other)[number % 2])
    registry = Registry([server, other])
    seen, after = [], ""
    while page := registry.page(after, 2, None, None):
        seen += [view.id for view in page]
        after = seen[-1]
    assert seen == sorted(set(seen))
    assert len(seen) == 6


async def test_filters(server, registry, open_session):
    await open_session(server)
    assert len(registry.page("", 9, "trading-api", "127.0.0.1")) == 1
    assert registry.page("", 9, "dgbit", None) == []
    assert registry.page("", 9, None, "10.0.0.1") == []


async def test_closing_one_leaves_the_others(server, registry, router, open_session):
    doomed = await Wire.session(server.port)
    (view,) = registry.page("", 9, None, None)
    well = await open_session(server)
    assert registry.close(view.id, "closed by the operator")
    assert await doomed.closed() == (1008, "closed by the operator")
    await doomed.bye()
    while server.sessions > 1:
        await turns()
    assert not registry.close(view.id, "again")
    assert registry.find(view.id) is None
    router.publish(Quote("S:A", bid=1, ask=2))
    assert (await well.message())["type"] == "quote"


async def test_whose_it_says_it_is(server, registry, open_session):
    await open_session(server, "/ws?strategy_id=mine")
    await open_session(server)
    found = registry.page("", 9, None, None)
    assert sorted(str(one.strategy_id) for one in found) == ["None", "mine"]
