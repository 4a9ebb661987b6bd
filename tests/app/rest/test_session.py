"""Sessions at the port of REST: bytes on a socket."""

from __future__ import annotations

import asyncio
import json
import struct

import pytest
import websockets

from fastrouter import Quote

from ...net.slow import conflates
from ...net.wire import Wire, frame, turns, until
from .asked import (
    ASK,
    ECHO,
    ECHOED,
    OK,
    PLAIN,
    UPGRADE,
    answer,
    gone,
    welcomed,
)


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_its_request_comes_in_pieces_with_a_message_behind(serve, connect, router, step):
    server = await serve()
    wire = await connect(server)
    data = UPGRADE + ASK
    for start in range(0, len(data), step):
        wire.send(data[start : start + step])
        await wire.writer.drain()
        await turns(1)
    await welcomed(wire)
    assert (await wire.message())["subscriptions"] == ["S:A:quote", "S:X:quote"]
    router.publish(Quote("S:X", bid=1, ask=2))
    assert (await wire.message())["quote"]["symbol"] == "S:X"
    assert server.sessions == server.crowd.connections == 1


@pytest.mark.parametrize("together", [True, False])
async def test_requests_before_it_on_the_same_connection(serve, connect, together):
    server = await serve()
    wire = await connect(server)
    if together:
        wire.send(PLAIN + PLAIN + UPGRADE + ASK)
    for _ in range(2):
        if not together:
            wire.send(PLAIN)
        assert await answer(wire) == OK
    if not together:
        wire.send(UPGRADE + ASK)
    await welcomed(wire)
    assert (await wire.message())["type"] == "subscribed"
    assert server.crowd.connections == 1
    await wire.bye()
    await gone(server)


async def test_a_body_before_it(serve, connect):
    wire = await connect(await serve())
    wire.send(ECHO + UPGRADE)
    assert await answer(wire) == ECHOED
    await welcomed(wire)


async def test_a_thousand_frames_right_behind_the_request(serve, connect):
    wire = await connect(await serve(messages_per_minute=0))
    wire.send(UPGRADE + frame(b"not json") * 1000)
    await welcomed(wire)
    for _ in range(1000):
        assert (await wire.message())["code"] == "INVALID_MESSAGE"


async def test_its_writes_are_direct_and_leave_in_the_same_turn(serve, connect, router):
    server = await serve()
    wire = await connect(server)
    wire.send(UPGRADE)
    await welcomed(wire)
    before = router.counters().sends
    router.publish(Quote("S:A", bid=1, ask=2))
    await turns(1)
    assert router.counters().sends == before + 1
    assert (await wire.message())["quote"]["seq"] == 1
    (listener,) = server.listeners
    assert not listener.transport.is_secure


async def test_the_gate_stands_before_it(serve, connect):
    wire = await connect(await serve())
    wire.send(UPGRADE)
    await welcomed(wire)
    wire.send(frame(b"not json") + frame(b"", length=1 << 30))
    assert (await wire.message())["code"] == "INVALID_MESSAGE"
    assert (await wire.closed()) == (1009, "message too big")
    await wire.end()


async def test_its_reading_is_paced(serve, connect, monkeypatch):
    server = await serve(messages_per_minute=0, max_message_bytes=1 << 20)
    wire = await connect(server)
    wire.send(UPGRADE)
    await welcomed(wire)
    wire.send(frame(b'"' + b"x" * 300_000 + b'"'))
    assert (await wire.message())["code"] == "INVALID_MESSAGE"


async def test_who_does_not_read_is_conflated(serve, router):
    server = await serve()
    well, slow = [await Wire.session(server.port, "/ws?subscriptions=*:quote") for _ in "ab"]
    await conflates(router, well, slow)
    for wire in (well, slow):
        await wire.bye()


async def test_the_peers_close_is_answered(serve, connect):
    server = await serve()
    wire = await connect(server)
    wire.send(UPGRADE + frame(struct.pack(">H", 1000), 8))
    await welcomed(wire)
    assert (await wire.closed())[0] == 1000
    await wire.end()
    await gone(server)
    assert server.sessions == 0


async def test_it_outlives_the_timeouts_of_http(serve, connect, router):
    server = await serve(handshake_seconds=0.1)
    wire = await connect(server)
    wire.send(PLAIN)
    assert await answer(wire) == OK
    wire.send(UPGRADE)
    await welcomed(wire)
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.3
    await until(lambda: loop.time() > end)
    router.publish(Quote("S:A", bid=1, ask=2))
    assert (await wire.message())["type"] == "quote"


async def test_websockets(serve, router):
    server = await serve()
    async with websockets.connect(
        f"ws://127.0.0.1:{server.port}/ws?subscriptions=S:A:quote", proxy=None
    ) as client:
        assert json.loads(await client.recv())["event"] == "CONNECTED"
        router.publish(Quote("S:A", bid=1, ask=2))
        assert json.loads(await client.recv())["quote"]["ask"] == "2"
