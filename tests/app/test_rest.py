"""REST and sessions at one port: bytes on a socket, on both event loops."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from fastapi import APIRouter, Request

from fastrouter import Quote, Router, config
from fastrouter.app import rest as app_rest
from fastrouter.app.rest import Rest
from fastrouter.net.route import Route
from fastrouter.net.server import Server

from ..net.wire import HEADERS, Wire, frame

UPGRADE = f"GET /ws?subscriptions=S:A:quote HTTP/1.1\r\n{HEADERS}\r\n".encode()
PLAIN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
ASK = frame(b'{"type":"subscribe","subscriptions":["S:X:quote"]}')
ROUTES = [Route("/ws")]


def echo(router: Router) -> APIRouter:
    """Answers with what it was sent."""
    found = APIRouter()

    @found.post("/v1/echo")
    async def answer(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return found


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
async def serve(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server of REST and sessions."""
    monkeypatch.setattr(app_rest, "ROUTERS", (echo,))
    closing = []

    async def start(*, admission: dict | None = None, **options) -> Server:
        group = router.group(**(admission or {}))
        limits = {"limits.header_bytes": options.get("header_bytes", 16384)}
        rest = await Rest.start(router, group, config.load(None, limits).settings, ROUTES)
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


async def body(wire: Wire, headers: dict[str, str]) -> dict:
    return json.loads(await wire.reader.readexactly(int(headers["content-length"])))


async def answer(wire: Wire) -> tuple[int, dict]:
    status, headers = await wire.response()
    return status, await body(wire, headers)


async def welcomed(wire: Wire) -> None:
    assert (await wire.response())[0] == 101
    assert (await wire.message())["event"] == "CONNECTED"


async def pieces(wire: Wire, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        wire.send(data[start : start + step])
        await wire.writer.drain()
        await asyncio.sleep(0)


# ------------------------------------------------------------------- a session


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_session_whose_request_comes_in_pieces_with_a_message_behind(
    serve, connect, router, step
):
    server = await serve()
    wire = await connect(server)
    await pieces(wire, UPGRADE + ASK, step)
    await welcomed(wire)
    assert (await wire.message())["subscriptions"] == ["S:A:quote", "S:X:quote"]
    router.publish(Quote("S:X", bid=1, ask=2))
    assert (await wire.message())["quote"]["symbol"] == "S:X"
    assert server.sessions == 1
    assert server.crowd.connections == 1


@pytest.mark.parametrize("together", [True, False])
async def test_requests_before_it_on_the_same_connection(serve, connect, router, together):
    server = await serve()
    wire = await connect(server)
    if together:
        wire.send(PLAIN + PLAIN + UPGRADE + ASK)
    for _ in range(2):
        if not together:
            wire.send(PLAIN)
        assert await answer(wire) == (200, {"status": "ok"})
    if not together:
        wire.send(UPGRADE + ASK)
    await welcomed(wire)
    assert (await wire.message())["type"] == "subscribed"
    assert server.crowd.connections == 1


async def test_a_thousand_frames_right_behind_the_request(serve, connect):
    server = await serve(messages_per_minute=0)
    wire = await connect(server)
    wire.send(UPGRADE + frame(b"not json") * 1000)
    await welcomed(wire)
    for _ in range(1000):
        assert (await wire.message())["code"] == "INVALID_MESSAGE"
