"""REST and sessions at one port: bytes on a socket, on both event loops."""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import websockets
from fastapi import APIRouter, Depends, Request

from fastrouter import Quote, Router, config
from fastrouter.app import rest as app_rest
from fastrouter.app.parts import Parts
from fastrouter.app.rest import Rest
from fastrouter.control.guard import Guard
from fastrouter.control.http import Http
from fastrouter.net.certificate import Certificate
from fastrouter.net.listener import Listener
from fastrouter.net.protocol import Protocol
from fastrouter.net.route import Route
from fastrouter.net.server import Server
from fastrouter.session.auth import Verifier

from ..certificates import certify
from ..net.slow import conflates
from ..net.wire import HEADERS, KEY, Wire, frame, turns, until
from ..tokens import SECRET, hs256

UPGRADE = f"GET /ws?subscriptions=S:A:quote HTTP/1.1\r\n{HEADERS}\r\n".encode()
PLAIN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
ASK = frame(b'{"type":"subscribe","subscriptions":["S:X:quote"]}')
ROUTES = [Route("/ws")]
OK = (200, {"status": "ok"})
ECHO = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
ECHOED = (200, {"bytes": 3})
CHUNKED = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
OLD = b"GET /healthz HTTP/1.0\r\n\r\n"
H2C = PLAIN.replace(b"Host", b"Connection: close, Upgrade\r\nUpgrade: h2c\r\nHost")
CLOSING = PLAIN.replace(b"Host", b"Connection: close\r\nHost")


def echo(parts: Parts) -> APIRouter:
    """Answers with the size of what it was sent."""
    found = APIRouter(dependencies=[Depends(Guard(parts.verifier, time.time))])

    @found.post("/v1/echo")
    async def answer(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return found


SLOW = b"GET /v1/slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Slow:
    """A request that is answered when it may be."""

    def __init__(self) -> None:
        self.asked = self.answered = 0
        self.may = asyncio.Event()

    def router(self, parts: Parts) -> APIRouter:
        found = APIRouter()

        @found.get("/v1/slow")
        async def answer() -> dict[str, str]:
            self.asked += 1
            await self.may.wait()
            self.answered += 1
            return {"status": "ok"}

        return found


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    found = Slow()
    monkeypatch.setattr(app_rest, "ROUTERS", (echo, found.router))
    return found


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
async def serve(router: Router, slow: Slow) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server of REST and sessions."""
    closing = []

    async def start(admission: dict | None = None, **options) -> Server:
        group = router.group(**(admission or {}))
        limits = {"limits.header_bytes": options.get("header_bytes", 16384)}
        parts = Parts(router, group.admission.verifier)
        rest = await Rest.start(parts, group, config.load(None, limits).settings, ROUTES)
        closing.append((group, rest))
        server = await group.serve("127.0.0.1", 0, ROUTES, speaks=rest.speaks, **options)
        server.close_seconds = 0.1
        return server

    yield start
    for group, rest in closing:
        await group.close(0.2)
        await rest.close()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Awaitable[Wire]]]:
    """Open connections that are hung up at the end."""
    wires: list[Wire] = []

    async def start(server: Server, tls: ssl.SSLContext | None = None) -> Wire:
        name = None if tls is None else "localhost"
        stream = asyncio.open_connection("127.0.0.1", server.port, ssl=tls, server_hostname=name)
        wires.append(Wire(*await stream))
        return wires[-1]

    yield start
    for wire in wires:
        await wire.bye()


async def answer(wire: Wire) -> tuple[int, dict]:
    """Status and body."""
    status, headers = await wire.response()
    return status, json.loads(await wire.reader.readexactly(int(headers["content-length"])))


async def welcomed(wire: Wire) -> None:
    assert (await wire.response())[0] == 101
    assert (await wire.message())["event"] == "CONNECTED"


async def gone(server: Server) -> None:
    await until(lambda: not server.crowd.connections)
    assert server.crowd.of("127.0.0.1") == 0


# ------------------------------------------------------------------- a session


class TestSession:
    @pytest.mark.parametrize("step", [1, 7, 1000])
    async def test_its_request_comes_in_pieces_with_a_message_behind(
        self, serve, connect, router, step
    ):
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
    async def test_requests_before_it_on_the_same_connection(self, serve, connect, together):
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

    async def test_a_body_before_it(self, serve, connect):
        wire = await connect(await serve())
        wire.send(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + UPGRADE)
        assert await answer(wire) == (200, {"bytes": 3})
        await welcomed(wire)

    async def test_a_thousand_frames_right_behind_the_request(self, serve, connect):
        wire = await connect(await serve(messages_per_minute=0))
        wire.send(UPGRADE + frame(b"not json") * 1000)
        await welcomed(wire)
        for _ in range(1000):
            assert (await wire.message())["code"] == "INVALID_MESSAGE"

    async def test_its_writes_are_direct_and_leave_in_the_same_turn(self, serve, connect, router):
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

    async def test_the_gate_stands_before_it(self, serve, connect):
        wire = await connect(await serve())
        wire.send(UPGRADE)
        await welcomed(wire)
        wire.send(frame(b"not json") + frame(b"", length=1 << 30))
        assert (await wire.message())["code"] == "INVALID_MESSAGE"
        assert (await wire.closed()) == (1009, "message too big")
        await wire.end()

    async def test_its_reading_is_paced(self, serve, connect, monkeypatch):
        server = await serve(messages_per_minute=0, max_message_bytes=1 << 20)
        wire = await connect(server)
        wire.send(UPGRADE)
        await welcomed(wire)
        wire.send(frame(b'"' + b"x" * 300_000 + b'"'))
        assert (await wire.message())["code"] == "INVALID_MESSAGE"

    async def test_who_does_not_read_is_conflated(self, serve, router):
        server = await serve()
        well, slow = [await Wire.session(server.port, "/ws?subscriptions=*:quote") for _ in "ab"]
        await conflates(router, well, slow)
        for wire in (well, slow):
            await wire.bye()

    async def test_the_peers_close_is_answered(self, serve, connect):
        server = await serve()
        wire = await connect(server)
        wire.send(UPGRADE + frame(struct.pack(">H", 1000), 8))
        await welcomed(wire)
        assert (await wire.closed())[0] == 1000
        await wire.end()
        await gone(server)
        assert server.sessions == 0

    async def test_it_outlives_the_timeouts_of_http(self, serve, connect, router):
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

    async def test_websockets(self, serve, router):
        server = await serve()
        async with websockets.connect(
            f"ws://127.0.0.1:{server.port}/ws?subscriptions=S:A:quote", proxy=None
        ) as client:
            assert json.loads(await client.recv())["event"] == "CONNECTED"
            router.publish(Quote("S:A", bid=1, ask=2))
            assert json.loads(await client.recv())["quote"]["ask"] == "2"


# -------------------------------------------------------------------- refusals


class TestHandshake:
    @pytest.mark.parametrize(
        ("target", "headers", "status"),
        [
            ("/ws?dialect=trading-api", HEADERS, 101),
            ("/ws?dialect=klingon", HEADERS, 400),
            ("/nope", HEADERS, 404),
            ("/ws", HEADERS.replace("Version: 13", "Version: 12"), 426),
            ("/ws", HEADERS.replace(KEY, "short"), 400),
            ("/ws", HEADERS + "Origin: https://evil\r\n", 403),
            ("/ws?token=bad", HEADERS, 401),
            ("/ws?subscriptions=%ff", HEADERS, 400),
            ("/healthz", HEADERS, 200),
        ],
    )
    async def test_status(self, serve, connect, target, headers, status):
        allowed = ("https://desk.example",)
        server = await serve({"allowed_origins": allowed, "verifier": Verifier(secret=SECRET)})
        wire = await connect(server)
        wire.send(f"GET {target} HTTP/1.1\r\n{headers}\r\n".encode())
        assert (await wire.response())[0] == status
        if status == 101:
            return
        await wire.end()
        assert server.refusals == ({} if status == 200 else {status: 1})
        await gone(server)

    async def test_a_plain_get_of_it(self, serve, connect):
        wire = await connect(await serve())
        wire.send(b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")
        status, headers = await wire.response()
        assert (status, headers["upgrade"], headers["sec-websocket-version"]) == (
            *(426, "websocket", "13"),
        )
        body = json.loads(await wire.reader.readexactly(int(headers["content-length"])))
        assert body["code"] == "UPGRADE_REQUIRED"

    @pytest.mark.parametrize(
        "request_bytes",
        [
            UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
            UPGRADE.replace(b"GET", b"POST"),
            UPGRADE.replace(b"GET", b"POST")[:-2] + b"Content-Length: 3\r\n\r\nabc",
            UPGRADE[:-2] + b"Content-Length: 3\r\n\r\nabc",
            UPGRADE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ],
    )
    async def test_what_is_no_websocket_request(self, serve, connect, caplog, request_bytes):
        server = await serve()
        wire = await connect(server)
        wire.send(PLAIN + request_bytes)
        assert await answer(wire) == OK
        status, body = await answer(wire)
        assert (status, body["code"]) == (400, "BAD_REQUEST")
        assert body["message"].startswith("a WebSocket is asked for by GET")
        await wire.end()
        await wire.bye()
        await gone(server)
        assert not caplog.records

    async def test_no_body_is_none(self, serve, connect):
        wire = await connect(await serve())
        wire.send(UPGRADE[:-2] + b"Content-Length: 0\r\n\r\n")
        await welcomed(wire)

    @pytest.mark.parametrize(("size", "status"), [(1000, 101), (1001, 431)])
    async def test_the_limit_of_its_head(self, serve, connect, size, status):
        server = await serve(header_bytes=1000)
        wire = await connect(server)
        filler = b"x" * (size - len(UPGRADE) - len(b"X: \r\n"))
        wire.send(UPGRADE[:-2] + b"X: " + filler + b"\r\n\r\n")
        assert (await wire.response())[0] == status

    async def test_the_first_message_may_say_who_it_is(self, serve, connect):
        wire = await connect(await serve({"verifier": Verifier(secret=SECRET)}))
        say = frame(json.dumps({"type": "Authenticate", "token": hs256()}).encode())
        wire.send(UPGRADE + say)
        await welcomed(wire)
        assert (await wire.message())["type"] == "authenticated"

    @pytest.mark.parametrize(
        "garbage",
        [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET /ws HTTP/1.1\r\nno\r\n\r\n"],
    )
    async def test_what_is_not_http(self, serve, connect, caplog, garbage):
        server = await serve()
        wire = await connect(server)
        wire.send(garbage)
        status, refusal = await answer(wire)
        assert (status, refusal["code"]) == (400, "BAD_REQUEST")
        assert refusal["message"].startswith("this is not HTTP: ")
        await wire.end()
        await wire.bye()
        await gone(server)
        assert not caplog.records
        wire = await connect(server)
        wire.send(UPGRADE)
        await welcomed(wire)

    @pytest.mark.parametrize("together", [True, False])
    @pytest.mark.parametrize(
        "head",
        [
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 2000,
            b"GET /" + b"x" * 66_000,
            b"GET /" + b"x" * 100_000,
            UPGRADE[:-2] + b"X: " + b"x" * 2000,
        ],
        ids=["header", "target", "long target", "upgrade"],
    )
    async def test_a_head_that_is_too_long(self, serve, connect, head, together):
        server = await serve(header_bytes=1000)
        wire = await connect(server)
        if head.startswith(b"GET /x"):
            head += b" HTTP/1.1\r\nHost: x"
        end = b"\r\n\r\n"
        wire.send(PLAIN)
        assert await answer(wire) == OK
        wire.send(head + end * together)
        if head.startswith(UPGRADE[:-2]) and together:  # whoever serves sessions says it
            assert (await wire.response())[0] == 431
        else:
            status, body = await answer(wire)
            assert (status, body["code"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
        await wire.end()
        await wire.bye()
        await gone(server)


class TestHttp:
    async def test_keep_alive_and_hang_up(self, serve, connect):
        server = await serve()
        wire = await connect(server)
        for _ in range(100):
            wire.send(PLAIN)
            assert await answer(wire) == OK
        wire.send(PLAIN.replace(b"Host", b"Connection: close\r\nHost"))
        assert await answer(wire) == OK
        await wire.end()
        await gone(server)
        assert server.unfinished == 0

    async def test_a_head_too_long_is_431(self, serve, connect):
        wire = await connect(await serve(header_bytes=300))
        wire.send(PLAIN[:-2] + b"X: " + b"x" * 400 + b"\r\n\r\n")
        status, body = await answer(wire)
        assert (status, body["code"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
        await wire.end()

    @pytest.mark.parametrize(
        "sent",
        [
            *(b"", b"GET /healthz HT"),
            b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na",
        ],
    )
    async def test_a_request_that_is_never_whole_is_cut(self, serve, connect, sent):
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
    async def test_a_body_that_goes_wrong_is_no_fault_of_ours(self, serve, connect, caplog, rest):
        server = await serve()
        wire = await connect(server)
        wire.send(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\n" + rest)
        await turns(20)
        wire.writer.write_eof()
        await wire.end()
        await gone(server)
        await turns(20)
        assert not caplog.records

    async def test_a_body_that_goes_wrong_when_it_is_answered(self, serve, connect, caplog):
        server = await serve()
        wire = await connect(server)
        wire.send(b"POST /nope HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await answer(wire))[0] == 404
        wire.send(b"zz\r\n")
        await wire.end()
        await wire.bye()
        await gone(server)
        assert not caplog.records

    async def test_java_asks_for_h2c_with_a_body(self, serve, connect):
        """java.net.http.HttpClient does so in each request unless it is told HTTP_1_1."""
        wire = await connect(await serve())
        ask = (
            b"POST /v1/echo HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: x\r\n"
            b"HTTP2-Settings: AAEAAEAA\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc"
        )
        wire.send(ask + ask[:50])
        assert await answer(wire) == (200, {"bytes": 3})
        wire.send(ask[50:] + PLAIN)
        assert await answer(wire) == (200, {"bytes": 3})
        assert await answer(wire) == OK

    async def test_what_stands_behind_the_last_request_is_not_read(self, serve, connect):
        ask = PLAIN.replace(b"\r\nHost", b"\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\nHost")
        wire = await connect(await serve())
        wire.send(ask + PLAIN)
        assert await answer(wire) == OK
        await wire.end()

    @pytest.mark.parametrize("before", [1, 3])
    @pytest.mark.parametrize(
        "wrong",
        [
            *(b"no HTTP\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"),
            b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ],
    )
    async def test_requests_before_what_is_not_http_are_answered(
        self, serve, connect, caplog, before, wrong
    ):
        server = await serve()
        wire = await connect(server)
        whole = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        wire.send(whole * before + wrong + PLAIN)
        for _ in range(before):
            assert await answer(wire) == (200, {"bytes": 3})
        assert (await answer(wire))[0] == 400
        await wire.end()
        await gone(server)
        assert not caplog.records

    @pytest.mark.parametrize(
        ("version", "hosts", "status"),
        [(1, 0, 400), (1, 1, 200), (1, 2, 400), (0, 0, 200), (0, 1, 200), (0, 2, 400)],
    )
    async def test_a_request_names_one_host(self, serve, connect, version, hosts, status):
        server = await serve()
        wire = await connect(server)
        wire.send(b"GET /healthz HTTP/1.%d\r\n" % version + b"Host: x\r\n" * hosts + b"\r\n")
        assert (await answer(wire))[0] == status

    @pytest.mark.parametrize("hosts", [0, 2])
    async def test_a_session_names_one_host(self, serve, connect, hosts):
        wire = await connect(await serve())
        wire.send(UPGRADE.replace(b"Host: localhost\r\n", b"Host: localhost\r\n" * hosts))
        status, body = await answer(wire)
        assert (status, body["message"]) == (400, f"one Host is needed; there are {hosts}")

    async def test_connect(self, serve, connect):
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
    async def test_what_surrounds_chunks_is_bounded(self, serve, connect, endless):
        server = await serve(header_bytes=1000)
        wire = await connect(server)
        wire.send(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        await turns(20)  # what comes together with a head is not counted
        wire.send(endless)
        assert (await answer(wire))[0] == 400
        await wire.end()
        await wire.bye()
        await gone(server)

    async def test_small_chunks_and_trailers_are_taken(self, serve, connect):
        wire = await connect(await serve(header_bytes=1000))
        wire.send(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3000):
            wire.send(b"1;a=b\r\nx\r\n")
        wire.send(b"0\r\nA: b\r\n\r\n" + PLAIN)
        assert await answer(wire) == (200, {"bytes": 3000})
        assert await answer(wire) == OK

    async def test_a_guard_stands_before_its_routes(self, serve):
        server = await serve({"verifier": Verifier(secret=SECRET)})
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}", trust_env=False
        ) as http:
            assert (await http.get("/healthz")).status_code == 200
            refused = await http.post("/v1/echo", content=b"abc")
            assert (refused.status_code, refused.json()["code"]) == (401, "NOT_AUTHENTICATED")
            bearer = {"Authorization": f"Bearer {hs256(admin=True)}"}
            assert (await http.post("/v1/echo", content=b"abc", headers=bearer)).json() == {
                "bytes": 3
            }


class TestEnd:
    """What was whole is answered before a connection ends."""

    @pytest.mark.parametrize(
        "bad",
        [
            *(b"\x16\x03\x01", b"\r\nxx\r\n", b"x\0", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
            ECHO.replace(b": 3", b": -1"),
            CHUNKED + b"zz\r\n",
        ],
    )
    @pytest.mark.parametrize("before", [1, 3])
    async def test_what_is_not_http_behind_requests(self, serve, connect, caplog, bad, before):
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

    async def test_a_refusal_waits_for_an_answer_that_takes_long(self, serve, connect, slow):
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
    async def test_what_follows_the_last_request_is_ignored(self, serve, connect, last, behind):
        server = await serve()
        wire = await connect(server)
        wire.send(PLAIN + last + behind)
        for _ in range(2):
            assert await answer(wire) == OK
        assert not await wire.reader.read()
        await gone(server)
        assert server.unfinished == 0

    @pytest.mark.parametrize("half", [b"", PLAIN[:20], ECHO[:-1], CHUNKED + b"1\r\n", UPGRADE])
    async def test_who_sends_no_more_is_answered(self, serve, connect, caplog, slow, half):
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
    async def test_who_sends_no_more_is_not_waited_for(self, serve, connect, slow, half):
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

    async def test_bad_bytes_and_no_more(self, serve, connect, slow):
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
    async def test_who_sends_no_more_has_no_answer_to_half(self, serve, connect, caplog, half):
        server = await serve()
        wire = await connect(server)
        wire.send(half)
        await turns(20)
        wire.writer.write_eof()
        assert not await wire.reader.read()
        await gone(server)
        await turns(20)
        assert not caplog.records

    async def test_who_leaves_with_requests_in_line(self, serve, connect, caplog, slow):
        server = await serve()
        wire = await connect(server)
        wire.send(SLOW + ECHO + SLOW)
        await until(lambda: slow.asked)
        wire.writer.transport.abort()
        (one,) = (one for one in gc.get_objects() if isinstance(one, Http) and one.pipeline)
        one.transport.abort()  # as the loop does when it hears of it: it does not read now
        await gone(server)
        slow.may.set()
        await until(lambda: slow.answered)
        await turns(20)
        assert slow.asked == 1
        assert not caplog.records

    @pytest.mark.parametrize("target", [b"/v1/echo", b"/nope"])
    async def test_a_body_that_goes_wrong_at_once(self, serve, connect, caplog, target):
        server = await serve()
        wire = await connect(server)
        wire.send(CHUNKED.replace(b"/v1/echo", target) + b"zz\r\n")
        assert (await answer(wire))[0] == 400
        assert not await wire.reader.read()
        await wire.bye()
        await gone(server)
        assert not caplog.records

    async def test_who_does_not_hang_up_is_hung_up_on(self, serve, connect, monkeypatch):
        monkeypatch.setattr("fastrouter.control.ending.LINGER_SECONDS", 0.01)
        server = await serve()
        wire = await connect(server)
        wire.send(b"\0")
        assert (await answer(wire))[0] == 400
        await gone(server)


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
    return Counter(type(one) for one in gc.get_objects() if isinstance(one, ours))


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


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def nothing_of_http() -> None:
    await turns()
    assert not [one for one in gc.get_objects() if isinstance(one, Http)]


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
