"""REST and sessions side by side: who counts, how it ends, TLS, load, and what is left."""

from __future__ import annotations

import asyncio
import gc
import ssl
import struct
from collections import Counter

import httpx
import pytest

from fastrouter import Quote
from fastrouter.control.http import Http
from fastrouter.net.certificate import Certificate
from fastrouter.net.listener import Listener
from fastrouter.net.protocol import Protocol

from ...certificates import certify
from ...net.wire import Wire, frame, turns, until
from .asked import (
    ASK,
    CHUNKED,
    CLOSING,
    ECHO,
    OK,
    PLAIN,
    SLOW,
    UPGRADE,
    answer,
    gone,
    welcomed,
)


class TestCrowd:
    async def test_connections_of_http_count(self, serve, connect):
        server = await serve({"connections_per_address": 2})
        silent, busy = await connect(server), await connect(server)
        busy.send(PLAIN)
        assert await answer(busy) == OK
        assert server.crowd.of("127.0.0.1") == 2
        await (await connect(server)).end()
        assert server.turned_away == 1
        await silent.bye()
        await until(lambda: server.crowd.connections == 1)
        busy.send(UPGRADE)
        await welcomed(busy)
        assert server.crowd.of("127.0.0.1") == 1

    async def test_too_many_in_all(self, serve, connect):
        server = await serve({"connections": 1})
        first = await connect(server)
        first.send(UPGRADE)
        await welcomed(first)
        for request, status in ((UPGRADE, 503), (b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n", 503)):
            late = await connect(server)
            late.send(request)
            assert (await late.response())[0] == status
            await late.end()
            await until(lambda: server.crowd.connections == 1)
        late = await connect(server)
        late.send(PLAIN)
        assert await answer(late) == OK

    async def test_behind_a_proxy_the_clients_address_counts(self, serve, connect):
        server = await serve({"trusted_proxies": ("127.0.0.1",), "connections_per_address": 1})
        wire = await connect(server)
        wire.send(UPGRADE[:-2] + b"X-Forwarded-For: 1.1.1.1\r\n\r\n")
        await welcomed(wire)
        assert server.crowd.of("1.1.1.1") == 1
        (listener,) = server.listeners
        assert listener.address == "1.1.1.1"
        await wire.bye()
        await gone(server)


class TestDrain:
    async def test_both_sides_refuse_and_sessions_get_1001(self, serve, connect):
        server = await serve()
        server.close_seconds, port = 5, server.port
        wire, idle = await connect(server), await connect(server)
        wire.send(UPGRADE)
        await welcomed(wire)
        idle.send(PLAIN)
        assert await answer(idle) == OK
        closing = asyncio.ensure_future(server.group.close(grace=5))
        assert (await wire.message())["event"] == "DISCONNECTING"
        idle.send(PLAIN)
        status, headers = await idle.response()
        assert (status, int(headers["retry-after"]) >= 1) == (503, True)
        for request in (UPGRADE, PLAIN):
            late = await connect(server)
            late.send(request)
            status, headers = await late.response()
            assert (status, int(headers["retry-after"]) >= 1) == (503, True)
        assert (await wire.closed())[0] == 1001
        wire.send(frame(struct.pack(">H", 1001), 8))
        assert await closing == 0
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


# -------------------------------------------------------------------------- TLS


class TestTls:
    @pytest.fixture
    def files(self, tmp_path):
        return certify(tmp_path)

    async def test_rest_and_sessions(self, serve, connect, router, files):
        server = await serve(ssl_context=Certificate(files.cert, files.key).context)
        trust = ssl.create_default_context(cafile=files.cert)
        wire = await connect(server, trust)
        wire.send(PLAIN + UPGRADE + ASK)
        assert await answer(wire) == OK
        await welcomed(wire)
        assert (await wire.message())["type"] == "subscribed"
        for bid in range(200):
            router.publish(Quote("S:A", bid=bid, ask=bid))
        got = [(await wire.message())["quote"]["seq"] for _ in range(200)]
        assert got == list(range(1, 201))
        (listener,) = server.listeners
        assert listener.transport.is_secure
        await wire.bye()
        await gone(server)

    async def test_who_sends_no_more(self, serve, connect, files, caplog, slow):
        """Event loops cannot keep half of a TLS connection open."""
        server = await serve(ssl_context=Certificate(files.cert, files.key).context)
        wire = await connect(server, ssl.create_default_context(cafile=files.cert))
        wire.send(SLOW + ECHO)
        await until(lambda: slow.asked)
        wire.writer.close()
        await turns(20)
        slow.may.set()
        await until(lambda: slow.answered)
        await gone(server)
        assert not caplog.records

    async def test_half_a_handshake_is_unfinished(self, serve, connect, files):
        server = await serve(
            ssl_context=Certificate(files.cert, files.key).context, handshake_seconds=0.1
        )
        wire = await connect(server)
        await until(lambda: server.crowd.connections == 1)
        await wire.end()
        await gone(server)
        assert server.unfinished == 1


# ----------------------------------------------------------------- side by side


async def test_rest_and_sessions_under_load(serve, connect, router):
    """Requests are answered and nothing is lost while both go on."""
    server = await serve()
    wires = [await connect(server) for _ in range(20)]
    for wire in wires:
        wire.send(UPGRADE)
        await welcomed(wire)

    async def publish() -> None:
        for bid in range(1000):
            router.publish(Quote("S:A", bid=bid, ask=bid))
            if bid % 16 == 0:
                await router.drained()

    async def read(wire: Wire) -> list[int]:
        return [(await wire.message())["quote"]["seq"] for _ in range(1000)]

    async def ask(http: httpx.AsyncClient) -> None:
        for _ in range(25):
            assert (await http.post("/v1/echo", content=b"x" * 1000)).json() == {"bytes": 1000}

    url = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        _, *heard = await asyncio.gather(
            publish(), *map(read, wires), *(ask(http) for _ in range(4))
        )
    assert all(seqs == list(range(1, 1001)) for seqs in heard[:20])


def kinds() -> Counter[type]:
    gc.collect()
    ours = (Http, Protocol, Listener)
    return Counter(type(one) for one in gc.get_objects() if issubclass(type(one), ours))


async def test_two_thousand_connections_leave_nothing(serve, connect):
    server = await serve()
    before = kinds()
    for _ in range(40):
        wires = [await connect(server) for _ in range(50)]
        for wire in wires:
            wire.send(PLAIN + UPGRADE)
        for wire in wires:
            assert await answer(wire) == OK
            await welcomed(wire)
        for wire in wires:
            await wire.bye()
        await gone(server)
    await turns()
    assert kinds() == before
    assert server.accepted == 2000


async def nothing_of_http() -> None:
    await turns()
    assert not [one for one in gc.get_objects() if type(one) is Http]


async def test_a_session_keeps_nothing_of_http(serve, connect, no_collector):
    server = await serve()
    wire = await connect(server)
    wire.send(PLAIN + UPGRADE)
    assert await answer(wire) == OK
    await welcomed(wire)
    await nothing_of_http()


NO_HOST = PLAIN.replace(b"Host", b"X")


@pytest.mark.parametrize(
    "end", [b"", b"no HTTP\r\n\r\n", NO_HOST, CHUNKED + b"zz\r\n", ECHO[:-1], CLOSING + PLAIN]
)
async def test_who_hangs_up_leaves_nothing_to_the_collector(serve, no_collector, end):
    server = await serve()
    for _ in range(3):
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
        wire.send(PLAIN * 3 + end)
        wire.writer.write_eof()
        await wire.bye()
    await gone(server)
    await nothing_of_http()
