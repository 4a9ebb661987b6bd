"""However bytes arrive: the head is bounded, and answers come before a close."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from .wire import HEADERS, Wire, frame, until

HEAD = f"GET /ws?subscriptions=S:A:quote HTTP/1.1\r\n{HEADERS}".encode()


def padded(size: int) -> bytes:
    """A whole head of that many bytes."""
    filler = b"x" * (size - len(HEAD) - len(b"X: \r\n\r\n"))
    return HEAD + b"X: " + filler + b"\r\n\r\n"


async def connect(server) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", server.port))


async def trickle(wire: Wire, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        wire.send(data[start : start + step])
        await wire.writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("step", [1, 7, 1000, 100_000])
async def test_it_arrives_in_pieces_with_a_message_behind(serve, step):
    server = await serve()
    wire = await connect(server)
    ask = frame(b'{"type":"subscribe","subscriptions":["S:X:quote"]}')
    await trickle(wire, HEAD + b"\r\n" + ask, step)
    assert (await wire.response())[0] == 101
    assert (await wire.message())["event"] == "CONNECTED"
    assert (await wire.message())["subscriptions"] == ["S:A:quote", "S:X:quote"]
    await wire.bye()


@pytest.mark.parametrize("step", [500, 100_000])
@pytest.mark.parametrize(
    ("limit", "size", "status"),
    [(1000, 1000, 101), (1000, 1001, 431), (16384, 16384, 101), (16384, 16385, 431),
     (16384, 60_000, 431)],
)  # fmt: skip
async def test_the_limit_is_exact(serve, limit, size, status, step):
    server = await serve(header_bytes=limit)
    wire = await connect(server)
    await trickle(wire, padded(size), step)
    assert (await wire.response())[0] == status
    await wire.bye()
    await until(lambda: not server.crowd.connections)
    assert server.refusals == ({431: 1} if status == 431 else {})


async def test_a_line_that_never_ends_is_answered_once_and_cut(serve, open_session):
    server = await serve(handshake_seconds=0.3)
    wire = await connect(server)
    answer = asyncio.ensure_future(wire.response())
    with contextlib.suppress(OSError):
        while True:
            wire.send(b"GET /" + b"x" * 65536)
            await wire.writer.drain()
    assert (await answer)[0] == 431
    await wire.bye()
    await until(lambda: not server.crowd.connections)
    await open_session(server)


async def test_a_byte_now_and_then_is_cut(serve, open_session):
    server = await serve(handshake_seconds=0.2)
    wire = await connect(server)
    slow = asyncio.ensure_future(dribble(wire))
    with contextlib.suppress(OSError):  # of a byte on its way when the line was cut
        await wire.end()
    slow.cancel()
    await wire.bye()
    await until(lambda: not server.crowd.connections)
    assert server.unfinished == 1
    await open_session(server)


async def dribble(wire: Wire) -> None:
    for byte in HEAD:
        if not wire.writer.is_closing():
            wire.send(bytes([byte]))
        await asyncio.sleep(0.02)


# ------------------------------------------------------------------- frame by frame

BAD = frame(b"not json")


async def test_answers_come_before_the_close_of_the_same_read(serve):
    wire = await Wire.session((await serve()).port)
    wire.send(BAD + BAD + frame(b"x" * 65537))
    assert [(await wire.message())["code"] for _ in range(2)] == 2 * ["INVALID_MESSAGE"]
    assert (await wire.closed()) == (1009, "message too big")
    await wire.end()
    await wire.bye()


async def test_a_thousand_frames_in_one_read_behind_the_handshake(serve):
    server = await serve(messages_per_minute=0)
    wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
    wire.send(f"GET /ws HTTP/1.1\r\n{HEADERS}\r\n".encode() + BAD * 1000)
    assert (await wire.response())[0] == 101
    assert (await wire.message())["event"] == "CONNECTED"
    for _ in range(1000):
        assert (await wire.message())["code"] == "INVALID_MESSAGE"
    await wire.bye()


async def test_after_a_bad_header_nothing_is_read_and_the_close_arrives(serve):
    wire = await Wire.session((await serve()).port)
    wire.send(frame(b"", length=1 << 30) + b"x" * 300_000)
    assert (await wire.closed())[0] == 1009
    await wire.end()
    await wire.bye()


async def test_pings_are_bounded_when_nobody_reads_the_pongs(serve, router):
    wire = await Wire.session((await serve()).port)
    wire.writer.transport.pause_reading()
    pings = frame(b"x" * 125, 9) * 500
    while not router.counters().given_up["overflow"]:
        wire.send(pings)
        await asyncio.sleep(0)
    wire.writer.transport.abort()
    await wire.bye()
