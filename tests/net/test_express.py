"""The short way in: whatever a client sends, it is as if there were none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from random import Random

import pytest

from fastrouter.net.protocol import Protocol
from fastrouter.net.server import Server

from ..backtests import backtests
from .wire import Wire, frame, until


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Its sessions are in runs over the made-up market."""
    async with backtests(None, max_message_bytes=2048) as (server, _):
        yield server


async def shortened(server: Server, target: str = "/ws?subscriptions=*:quote") -> Wire:
    """A session that is past its handshake."""
    wire = await Wire.session(server.port, target)
    (listener,) = server.listeners
    underlying = listener.transport.underlying_transport
    await until(lambda: not isinstance(underlying.get_protocol(), Protocol))
    return wire


def ack(number: int, correlation: str = "c") -> bytes:
    message = {
        "type": "event_ack",
        "correlation_id": correlation,
        "events_processed": [f"evt_{number}"],
        "timestamp": 1,
    }
    return json.dumps(message, ensure_ascii=False).encode()


def said(number: int, random: Random) -> bytes:
    """An ack of that event, in one of the forms that clients may choose."""
    form = random.randrange(5)
    text = ack(number, "ü" if form == 1 else "c" * random.choice((1, 40, 300)))
    if form == 2:
        cut = random.randrange(1, len(text))
        return frame(text[:cut], fin=False) + frame(b"x", 9) + frame(text[cut:], 0)
    if form == 3:
        return frame(b"hello", 9) + frame(text)
    return frame(text)


@pytest.mark.parametrize("seed", range(6))
async def test_acks_in_any_form_and_any_portions(server, seed):
    random = Random(seed)
    wire = await shortened(server)
    plain = seed % 2  # fragments end the short way; some clients send none
    for number in range(1, 120):
        while True:
            opcode, payload = await wire.frame()
            if opcode == 1:
                break
            assert opcode == 10
        assert json.loads(payload)["id"] == f"evt_{number}"
        data = frame(ack(number)) if plain else said(number, random)
        while data:
            size = random.choice((1, 3, 7, 20, 100, 1000))
            wire.send(data[:size])
            data = data[size:]
            await asyncio.sleep(0)
    (listener,) = server.listeners
    await until(lambda: listener.taker.acknowledged == 119)
    await wire.bye()


async def test_several_in_one_segment(server):
    wire = await shortened(server, "/ws?subscriptions=*:quote&window=8")
    for first in range(1, 80, 8):
        ids = [json.loads((await wire.frame())[1])["id"] for _ in range(8)]
        assert ids == [f"evt_{number}" for number in range(first, first + 8)]
        wire.send(b"".join(frame(ack(number)) for number in range(first, first + 8)))
    await wire.bye()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"x" * 3000), 1009),
        (frame(b"x" * 70_000), 1009),
        (frame(ack(1), masked=False), 1002),
        (frame(ack(1), rsv=0x40), 1002),
        (frame(ack(1), opcode=3), 1002),
        (frame(b"x", opcode=0), 1002),
        (frame(b"\xff"), 1007),
        (frame(b"\x03\xe8", opcode=8), 1000),
    ],
)
async def test_what_ends_a_session_ends_it(server, data, code):
    wire = await shortened(server)
    wire.send(frame(ack(1)) + data + frame(ack(2)))
    assert (await wire.closed())[0] == code
    await wire.bye()


async def test_a_client_that_hangs_up_is_away(server):
    wire = await shortened(server)
    (listener,) = server.listeners
    member = listener.taker
    await wire.bye()
    await until(lambda: member.outbox is None)
    assert not server.listeners
