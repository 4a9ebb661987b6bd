"""REST and sessions at one port, in this process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from fastrouter import Router, config
from fastrouter.app import rest as app_rest
from fastrouter.app.parts import Parts
from fastrouter.app.rest import Rest
from fastrouter.net.route import Route
from fastrouter.net.server import Server

from ...net.wire import Wire
from .asked import Slow, echo

ROUTES = [Route("/ws")]


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
