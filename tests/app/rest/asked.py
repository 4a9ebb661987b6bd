"""What is asked at the port, and how its answers are read."""

from __future__ import annotations

import asyncio
import json
import time

from fastapi import APIRouter, Depends, Request

from fastrouter.app.parts import Parts
from fastrouter.control.guard import Guard
from fastrouter.net.server import Server

from ...net.wire import HEADERS, Wire, frame, until

UPGRADE = f"GET /ws?subscriptions=S:A:quote HTTP/1.1\r\n{HEADERS}\r\n".encode()
PLAIN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
ASK = frame(b'{"type":"subscribe","subscriptions":["S:X:quote"]}')
OK = (200, {"status": "ok"})
ECHO = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
ECHOED = (200, {"bytes": 3})
CHUNKED = b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SLOW = b"GET /v1/slow HTTP/1.1\r\nHost: x\r\n\r\n"
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
