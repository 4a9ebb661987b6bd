"""HELLO: the clients of its page print what they should, and their acks are welcome."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from fastrouter import Candle, Quote, Router
from fastrouter.net.server import Server
from tests import node
from tests.seeds.program import SECONDS, Program, client

CONNECTED = ["Connected to Trading API", "Received event: connection"]
PRINTED = [
    *("Received event: quote", " S:AAPL - Bid: 150.25 Ask: 150.27"),
    *("Received event: candle", " C:BTCUSD - Close: 46319.5"),
    "Received event: order",
]


@pytest.fixture
async def router() -> Router:
    return Router()


@pytest.fixture
async def server(router: Router) -> AsyncIterator[Server]:
    server = await router.serve(port=0)
    yield server
    await server.close(0)


def publish(router: Router) -> None:
    router.publish(Quote("S:AAPL", bid=150.25, ask=150.27, last=150.26, bid_size=1, ask_size=2))
    router.publish(Candle("C:BTCUSD", open=46300, high=46400, low=46200, close=46319.5))
    router.publish("order", {"event": "ORDER_FILLED", "id": "o1", "symbol": "S:AAPL"})


async def acked(server: Server, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while server.acks.events < count:  # noqa: ASYNC110 -- counters tell nobody
            await asyncio.sleep(0.01)


async def watched(program: Program, router: Router, server: Server) -> None:
    assert await program.lines(len(CONNECTED)) == CONNECTED
    publish(router)
    assert await program.lines(len(PRINTED)) == PRINTED
    await acked(server, 4)
    assert server.acks.unknown == 1  # the welcome has no id
    assert not server.rejections


async def test_python(router: Router, server: Server):
    async with Program.python(client("hello.py", {8082: server.port})) as program:
        await watched(program, router, server)


async def test_javascript(router: Router, server: Server):
    node.need("ws", "uuid")
    async with Program.node(client("hello.js", {8082: server.port})) as program:
        await watched(program, router, server)
        await server.close(0)
        told = ["Received event: connection", "Disconnected from Trading API"]
        assert await program.lines(2) == told


async def test_what_java_and_rust_read_as_text_is_text(router: Router, server: Server):
    async with connect(f"ws://127.0.0.1:{server.port}/ws") as ws:
        json.loads(await ws.recv())
        publish(router)
        quote, candle, order = [json.loads(await ws.recv()) for _ in range(3)]
        for value in (
            *(one[name] for one in (quote, candle, order) for name in ("type", "id")),
            *(quote["quote"][name] for name in ("symbol", "bid", "ask")),
            *(candle["bar"][name] for name in ("symbol", "close")),
        ):
            assert isinstance(value, str)


MODULE = """module hello

go 1.20

require (
	github.com/google/uuid v1.6.0
	github.com/gorilla/websocket v1.5.3
)
"""


def built(code: str, folder: Path) -> str:
    """The Go program, compiled; the test is skipped where that cannot be done."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs go")
    (folder / "go.mod").write_text(MODULE)
    (folder / "main.go").write_text(code)
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    try:
        subprocess.run(
            [go, "build", "-o", "hello", "."], cwd=folder, env=environment,
            capture_output=True, text=True, timeout=100, check=True,
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        pytest.skip(f"go has not built it: {error}")
    return str(folder / "hello")


async def test_go(router: Router, server: Server, tmp_path: Path):
    code = client("hello.go", {8082: server.port})
    program = await asyncio.to_thread(built, code, tmp_path)
    async with Program(program) as running:
        await watched(running, router, server)
