"""A client in a run: what is acknowledged, when, and how it goes on after a lost connection."""

import json

import pytest

from fastrouter.client import connect
from fastrouter.client.lockstep import Lockstep
from fastrouter.core.event import Quote
from fastrouter.errors import ConnectionFailed

from .conftest import quote, serving


def welcome(**more: object) -> str:
    return json.dumps({"type": "connection", "event": "CONNECTED", "session_id": "s",
                       "timestamp": "2025-01-01T00:00:00.000000Z", **more})  # fmt: skip


COMPLETE = json.dumps({"type": "connection", "event": "BACKTEST_COMPLETE",
                       "timestamp": "2025-01-01T00:00:00.000000Z"})  # fmt: skip
RUN = {"run_id": "main", "member": 1}


async def acked(peer) -> list[str]:
    return json.loads(await peer.recv())["events_processed"]


async def test_an_event_is_acknowledged_when_the_body_that_got_it_is_done():
    """Whatever the body did, an order say, belongs to the event's instant."""
    told: list[str] = []

    async def server(peer):
        await peer.send(welcome(**RUN))
        for number in (1, 2):
            await peer.send(quote(number))
            told.extend(await acked(peer))
        await peer.send(COMPLETE)
        await peer.close(1000)

    seen = []
    async with serving(server) as url, connect(url) as connection:
        async for event in connection:
            if isinstance(event, Quote):
                assert f"evt_{event.id}" not in told
                seen.append(event.id)
    assert seen == [1, 2]
    assert told == ["evt_1", "evt_2"]
    assert connection.stats.sessions == 1


@pytest.mark.parametrize("take", [False, True])
async def test_what_a_body_was_not_done_with_is_not_acknowledged(take):
    """It raised: whoever goes on with the run gets the event again."""
    told: list[str] = []

    async def server(peer):
        await peer.send(welcome(**RUN))
        await peer.send(quote(1))
        told.extend(await acked(peer))
        await peer.send(quote(2))
        async for message in peer:
            told.extend(json.loads(message)["events_processed"])

    async def work(connection):
        while events := await connection.take() if take else [await anext(connection)]:
            if events[-1].id == 2:
                raise LookupError

    async with serving(server) as url:
        with pytest.raises(LookupError):
            async with connect(url) as connection:
                await work(connection)
    assert told == ["evt_1"]


async def test_who_is_in_no_run_acknowledges_nothing_unless_told_to():
    heard = []

    async def server(peer):
        await peer.send(welcome())
        await peer.send(quote(1))
        await peer.close(1000)
        heard.extend([message async for message in peer])

    async with serving(server) as url, connect(url) as connection:
        assert len([event async for event in connection]) == 2
    assert heard == []


async def test_acknowledging_can_be_left_to_the_consumer():
    told = []

    async def server(peer):
        await peer.send(welcome(**RUN))
        await peer.send(quote(1))
        await peer.send(quote(2))
        told.extend(await acked(peer))
        await peer.close(1000)

    async with serving(server) as url, connect(url, ack=False) as connection:
        async for event in connection:
            if event.id == 2:
                await connection.ack(event)
    assert told == ["evt_2"]


async def test_the_urls_own_query_stays_beside_the_subscriptions():
    paths = []

    async def server(peer):
        paths.append(peer.request.path)
        await peer.close(1000)

    async with (
        serving(server) as url,
        connect(f"{url}/ws?run=main&clients=1", "C:*:quote,*:order") as connection,
    ):
        assert [event async for event in connection] == []
    assert paths == ["/ws?run=main&clients=1&subscriptions=C:*:quote,*:order"]


async def test_a_run_goes_on_after_a_lost_connection(surroundings):
    """What was processed is acknowledged once more, what was not when it is; nothing comes twice.

    The URL asks for the same member, and cannot begin another run.
    """
    paths, told = [], []

    async def server(peer):
        paths.append(peer.request.path)
        await peer.send(welcome(**RUN))
        if len(paths) == 1:
            await peer.send(quote(1))
            await acked(peer)  # which the run never sees
            await peer.send(quote(2))
            await peer.close(1012)
            return
        for number in (1, 2, 3):
            await peer.send(quote(number))
        while "evt_3" not in told:
            told.extend(await acked(peer))
        await peer.close(1000)

    async with serving(server) as url:
        target = f"{url}/?run=main&clients=1"
        async with connect(target, "*:quote", surroundings=surroundings) as connection:
            seen = [event.id async for event in connection if isinstance(event, Quote)]
    assert seen == [1, 2, 3]
    assert sorted(told) == ["evt_1", "evt_2", "evt_3"]
    assert paths[1] == "/?subscriptions=*:quote&run=main&member=1"


@pytest.mark.parametrize("code", [1008, 1011])
async def test_a_run_that_has_failed_is_over(code, surroundings):
    sessions = []

    async def server(peer):
        sessions.append(peer)
        await peer.send(welcome(**RUN))
        await peer.close(code)

    async with serving(server) as url, connect(url, surroundings=surroundings) as connection:
        with pytest.raises(ConnectionFailed) as caught:
            assert len([event async for event in connection]) == 1
    assert caught.value.close_code == code
    assert len(sessions) == 1


def test_a_welcome_that_names_no_run():
    assert Lockstep.of({}) is None
    assert Lockstep.of({"run_id": 7}) is None
