"""HTTP's oddities: bytes on a socket."""

from __future__ import annotations

import httpx
import pytest

from fastrouter.session.auth import Verifier

from ...net.wire import turns
from ...tokens import SECRET, hs256
from .asked import (
    CHUNKED,
    CLOSING,
    ECHO,
    ECHOED,
    OK,
    PLAIN,
    UPGRADE,
    answer,
    gone,
)


async def test_keep_alive_and_hang_up(serve, connect):
    server = await serve()
    wire = await connect(server)
    for _ in range(100):
        wire.send(PLAIN)
        assert await answer(wire) == OK
    wire.send(CLOSING)
    assert await answer(wire) == OK
    await wire.end()
    await gone(server)
    assert server.unfinished == 0


@pytest.mark.parametrize(
    "sent",
    [
        *(b"", b"GET /healthz HT"),
        ECHO[:-2],
    ],
)
async def test_a_request_that_is_never_whole_is_cut(serve, connect, sent):
    server = await serve(handshake_seconds=0.05)
    wire = await connect(server)
    wire.send(PLAIN)
    assert await answer(wire) == OK
    late = await connect(server)
    late.send(sent)
    await late.end()
    if sent:
        wire.send(sent)
        await wire.end()
        await gone(server)
    assert server.unfinished == (not sent.startswith(b"POST"))


@pytest.mark.parametrize(
    "rest",
    [b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"Content-Length: 3\r\n\r\n"],
)
async def test_a_body_that_goes_wrong_is_no_fault_of_ours(serve, connect, caplog, rest):
    server = await serve()
    wire = await connect(server)
    wire.send(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\n" + rest)
    await turns(20)
    wire.writer.write_eof()
    await wire.end()
    await gone(server)
    await turns(20)
    assert not caplog.records


async def test_a_body_that_goes_wrong_when_it_is_answered(serve, connect, caplog):
    server = await serve()
    wire = await connect(server)
    wire.send(b"POST /nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert (await answer(wire))[0] == 404
    wire.send(b"zz\r\n")
    await wire.end()
    await wire.bye()
    await gone(server)
    assert not caplog.records


async def test_java_asks_for_h2c_with_a_body(serve, connect):
    """java.net.http.HttpClient does so in each request unless it is told HTTP_1_1."""
    wire = await connect(await serve())
    ask = (
        b"POST /v1/echo HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: x\r\n"
        b"HTTP2-Settings: AAEAAEAA\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc"
    )
    wire.send(ask + ask[:50])
    assert await answer(wire) == ECHOED
    wire.send(ask[50:] + PLAIN)
    assert await answer(wire) == ECHOED
    assert await answer(wire) == OK


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [(1, 0, 400), (1, 1, 200), (1, 2, 400), (0, 0, 200), (0, 1, 200), (0, 2, 400)],
)
async def test_a_request_names_one_host(serve, connect, version, hosts, status):
    server = await serve()
    wire = await connect(server)
    wire.send(b"GET /healthz HTTP/1.%d\r\n" % version + b"Host: x\r\n" * hosts + b"\r\n")
    assert (await answer(wire))[0] == status


@pytest.mark.parametrize("hosts", [0, 2])
async def test_a_session_names_one_host(serve, connect, hosts):
    wire = await connect(await serve())
    wire.send(UPGRADE.replace(b"Host: localhost\r\n", b"Host: localhost\r\n" * hosts))
    status, body = await answer(wire)
    assert (status, body["message"]) == (400, f"one Host is needed; there are {hosts}")


async def test_connect(serve, connect):
    wire = await connect(await serve())
    wire.send(b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\nabc")
    assert (await answer(wire))[0] == 400
    await wire.end()


@pytest.mark.parametrize(
    "endless",
    [
        *(b"1;" + b"x" * 3000, b"0\r\n" + b"A: b\r\n" * 1000),
        b"1\r\nx\r\n" + b"1" * 3000,
    ],
)
async def test_what_surrounds_chunks_is_bounded(serve, connect, endless):
    server = await serve(header_bytes=1000)
    wire = await connect(server)
    wire.send(CHUNKED)
    await turns(20)  # what comes together with a head is not counted
    wire.send(endless)
    assert (await answer(wire))[0] == 400
    await wire.end()
    await wire.bye()
    await gone(server)


async def test_small_chunks_and_trailers_are_taken(serve, connect):
    wire = await connect(await serve(header_bytes=1000))
    wire.send(CHUNKED)
    for _ in range(3000):
        wire.send(b"1;a=b\r\nx\r\n")
    wire.send(b"0\r\nA: b\r\n\r\n" + PLAIN)
    assert await answer(wire) == (200, {"bytes": 3000})
    assert await answer(wire) == OK


async def test_a_guard_stands_before_its_routes(serve):
    server = await serve({"verifier": Verifier(secret=SECRET)})
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", trust_env=False
    ) as http:
        assert (await http.get("/healthz")).status_code == 200
        refused = await http.post("/v1/echo", content=b"abc")
        assert (refused.status_code, refused.json()["code"]) == (401, "NOT_AUTHENTICATED")
        bearer = {"Authorization": f"Bearer {hs256(admin=True)}"}
        assert (await http.post("/v1/echo", content=b"abc", headers=bearer)).json() == {"bytes": 3}
