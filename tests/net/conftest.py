"""A serving router on port 0, on both event loops it must work on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from fastrouter import Router
from fastrouter.net.server import Server

from .wire import Wire


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
async def serve(router: Router) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server of the router; it is closed, and its clients too, at the end."""
    servers: list[Server] = []

    async def start(**options) -> Server:
        servers.append(await router.serve("127.0.0.1", 0, **options))
        servers[-1].close_seconds = 0.1  # most of these peers answer no close frame
        return servers[-1]

    yield start
    for server in servers:
        await server.close(grace=0.2)


@pytest.fixture
async def open_session() -> AsyncIterator[Callable[..., Awaitable[Wire]]]:
    """Open sessions that are hung up at the end."""
    wires: list[Wire] = []

    async def start(server: Server, target: str = "/ws", **options) -> Wire:
        wires.append(await Wire.session(server.port, target, **options))
        return wires[-1]

    yield start
    for wire in wires:
        await wire.bye()
