"""What was whole is answered before a connection ends: bytes on a socket."""

from __future__ import annotations

import asyncio
import gc

import pytest

from fastrouter.control.http import Http

from ...net.wire import turns, until
from .asked import (
    CHUNKED,
    CLOSING,
    ECHO,
    ECHOED,
    H2C,
    OK,
    OLD,
    PLAIN,
    SLOW,
    UPGRADE,
    answer,
    gone,
)


@pytest.mark.parametrize(
    "bad",
    [
        *(b"\x16\x03\x01", b"\r\nxx\r\n", b"x\0", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ECHO.replace(b": 3", b": -1"),
        CHUNKED + b"zz\r\n",
    ],
)
@pytest.mark.parametrize("before", [1, 3])
async def test_what_is_not_http_behind_requests(serve, connect, caplog, bad, before):
    server = await serve()
    wire = await connect(server)
    wire.send(ECHO * before + bad + PLAIN)
    for _ in range(before):
        assert await answer(wire) == ECHOED
    assert (await answer(wire))[0] == 400
    assert not await wire.reader.read()
    await wire.bye()
    await gone(server)
    assert not caplog.records


async def test_a_refusal_waits_for_an_answer_that_takes_long(serve, connect, slow):
    wire = await connect(await serve())
    wire.send(SLOW + b"\0")
    await until(lambda: slow.asked)
    wire.send(b"more of it")
    await turns(20)
    slow.may.set()
    assert await answer(wire) == OK
    assert (await answer(wire))[0] == 400
    assert not await wire.reader.read()


@pytest.mark.parametrize("behind", [b"\0", ECHO, ECHO[:20], b"CONNECT x:1 HTTP/1.1\r\n\r\n"])
@pytest.mark.parametrize("last", [CLOSING, OLD, H2C])
async def test_what_follows_the_last_request_is_ignored(serve, connect, last, behind):
    server = await serve()
    wire = await connect(server)
    wire.send(PLAIN + last + behind)
    for _ in range(2):
        assert await answer(wire) == OK
    assert not await wire.reader.read()
    await gone(server)
    assert server.unfinished == 0


@pytest.mark.parametrize("half", [b"", PLAIN[:20], ECHO[:-1], CHUNKED + b"1\r\n", UPGRADE])
async def test_who_sends_no_more_is_answered(serve, connect, caplog, slow, half):
    server = await serve()
    wire = await connect(server)
    wire.send(SLOW + ECHO + SLOW + half)
    wire.writer.write_eof()
    await until(lambda: slow.asked)
    await turns(20)
    slow.may.set()
    assert [await answer(wire) for _ in range(3)] == [OK, ECHOED, OK]
    if half != UPGRADE:  # that one is answered, too
        assert not await wire.reader.read()
    await gone(server)
    assert not caplog.records
    assert (slow.asked, slow.answered) == (2, 2)


@pytest.mark.parametrize("half", [b"", PLAIN[:20]])
async def test_who_sends_no_more_is_not_waited_for(serve, connect, slow, half):
    server = await serve(handshake_seconds=0.05)
    wire = await connect(server)
    wire.send(SLOW + half)
    wire.writer.write_eof()
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.15
    await until(lambda: slow.asked and loop.time() > end)
    slow.may.set()
    assert await answer(wire) == OK
    assert not await wire.reader.read()


async def test_who_is_not_read_is_not_late(serve, connect, slow):
    """While requests wait for their turn we read no more, and so cannot ask for the rest."""
    server = await serve(handshake_seconds=0.05)
    wire = await connect(server)
    wire.send(SLOW + ECHO + PLAIN[:20])
    await until(lambda: slow.asked)
    wire.send(PLAIN[20:])
    loop = asyncio.get_running_loop()
    end = loop.time() + 0.15
    await until(lambda: loop.time() > end)
    slow.may.set()
    assert [await answer(wire) for _ in range(3)] == [OK, ECHOED, OK]
    wire.send(PLAIN[:20])
    await wire.end()


async def test_bad_bytes_and_no_more(serve, connect, slow):
    server = await serve()
    wire = await connect(server)
    wire.send(SLOW + b"\0")
    wire.writer.write_eof()
    await until(lambda: slow.asked)
    await turns(20)
    slow.may.set()
    assert await answer(wire) == OK
    assert (await answer(wire))[0] == 400
    await wire.end()
    await wire.bye()
    await gone(server)


@pytest.mark.parametrize("half", [b"", PLAIN[:20], ECHO[:-1], CHUNKED + b"1\r\n"])
async def test_who_sends_no_more_has_no_answer_to_half(serve, connect, caplog, half):
    server = await serve()
    wire = await connect(server)
    wire.send(half)
    await turns(20)
    wire.writer.write_eof()
    assert not await wire.reader.read()
    await gone(server)
    await turns(20)
    assert not caplog.records


async def test_who_leaves_with_requests_in_line(serve, connect, caplog, slow):
    server = await serve()
    wire = await connect(server)
    wire.send(SLOW + ECHO + SLOW)
    await until(lambda: slow.asked)
    wire.writer.transport.abort()
    (one,) = (one for one in gc.get_objects() if type(one) is Http and one.pipeline)
    one.transport.abort()  # as the loop does when it hears of it: it does not read now
    await gone(server)
    slow.may.set()
    await until(lambda: slow.answered)
    await turns(20)
    assert slow.asked == 1
    assert not caplog.records


@pytest.mark.parametrize("target", [b"/v1/echo", b"/nope"])
async def test_a_body_that_goes_wrong_at_once(serve, connect, caplog, target):
    server = await serve()
    wire = await connect(server)
    wire.send(CHUNKED.replace(b"/v1/echo", target) + b"zz\r\n")
    assert (await answer(wire))[0] == 400
    assert not await wire.reader.read()
    await wire.bye()
    await gone(server)
    assert not caplog.records


async def test_who_does_not_hang_up_is_hung_up_on(serve, connect, monkeypatch):
    monkeypatch.setattr("fastrouter.control.ending.LINGER_SECONDS", 0.01)
    server = await serve()
    wire = await connect(server)
    wire.send(b"\0")
    assert (await answer(wire))[0] == 400
    await gone(server)
