"""Servers for the client to talk to, made with the ``websockets`` library."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from websockets.asyncio.server import Server, ServerConnection, serve

from fastrouter.client import Connection, Surroundings

GAP = json.dumps({"type": "error", "code": "RESUME_GAP", "message": "the oldest is evt_1"})

Handler = Callable[[ServerConnection], Awaitable[None]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    """Every test runs on both loops."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@asynccontextmanager
async def serving(handler: Handler, **options: object) -> AsyncIterator[str]:
    """A server on a free port; yields its URL."""
    server: Server
    async with serve(handler, "127.0.0.1", options.pop("port", 0), **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


def quote(
    number: int = 1, *, symbol: str = "S:AAPL", seq: int | None = None, **more: object
) -> str:
    """A quote as a server of the ``trading-api`` dialect sends it."""
    return json.dumps(
        {
            "type": "quote",
            "id": f"evt_{number}",
            "quote": {
                "symbol": symbol,
                "bid": "150.25",
                "ask": "150.27",
                "last": "150.26",
                "bid_size": "100",
                "ask_size": "200",
                "seq": number if seq is None else seq,
            },
            "timestamp": "2025-01-01T00:00:00.000000Z",
            **more,
        }
    )


def order(number: int, **body: object) -> str:
    """An order event of the ``trading-api`` dialect."""
    return json.dumps(
        {
            "type": "order",
            "event": "ORDER_FILLED",
            "id": f"evt_{number}",
            "order": {"id": f"o-{number}", "symbol": "S:AAPL", **body},
            "timestamp": "2025-01-01T00:00:00.000000Z",
        }
    )


class Script:
    """A server of one session after another: what each says, and the code that it closes with.

    The last one is left open. Remembers the path each was opened with.
    """

    def __init__(self, *sessions: tuple[list[str], int]) -> None:
        self.sessions = iter(sessions)
        self.paths: list[str] = []
        self.opened = asyncio.Condition()

    async def reached(self, count: int) -> None:
        async with self.opened:
            await self.opened.wait_for(lambda: len(self.paths) >= count)

    async def __call__(self, peer: ServerConnection) -> None:
        async with self.opened:
            self.paths.append(peer.request.path)
            self.opened.notify_all()
        messages, code = next(self.sessions)
        for message in messages:
            await peer.send(message)
        await (peer.close(code) if code else peer.wait_closed())


async def take(connection: Connection, count: int) -> list[Any]:
    """The next so many events, fewer when the stream ends."""
    events: list[Any] = []
    async for event in connection:
        events.append(event)
        if len(events) == count:
            break
    return events


def connection_event(event: str) -> str:
    return json.dumps(
        {
            "type": "connection",
            "event": event,
            "session_id": "s",
            "timestamp": "2025-01-01T00:00:00.000000Z",
        }
    )


class Naps:
    """Stands in for `asyncio.sleep`: remembers how long, and returns at once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


class Clock:
    """A clock that moves when told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def surroundings(naps: Naps, clock: Clock) -> Surroundings:
    """Waits take no time, jitter is always the ceiling, clocks stand still."""
    return Surroundings(now=clock, monotonic=clock, random=lambda: 1.0, sleep=naps)
