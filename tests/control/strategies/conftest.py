"""Strategies behind a serving port, on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from fastrouter import Router
from fastrouter.control.database import Database
from fastrouter.control.strategies import Commands, Place, Registry, Spec
from fastrouter.control.strategies.house import House
from fastrouter.control.strategies.records import Records
from fastrouter.control.strategies.signals import Signals
from fastrouter.dialects import load
from fastrouter.net.route import Route
from fastrouter.net.server import Server

from ...net.wire import Wire
from .house import FakeDesk, FakeTimer

PATH = {"PATH": "/usr/bin:/bin"}


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


class Running:
    """A server with strategies."""

    def __init__(
        self, router: Router, server: Server, registry: Registry, desk: FakeDesk, timer: FakeTimer
    ) -> None:
        self.router = router
        self.server = server
        self.registry = registry
        self.desk = desk
        self.timer = timer
        self.wires: list[Wire] = []
        self.end: Callable[[], Awaitable[Any]]

    async def session(self, target: str = "/?subscriptions=*:strategy") -> Wire:
        """A client; by default of ORCH's own envelope, that hears of strategies alone."""
        wire = await Wire.open(self.server.port, target)
        self.wires.append(wire)
        assert (await wire.response())[0] == 101
        assert (await wire.message())["type"] in ("connection", "Connected")
        return wire


Run = Callable[..., Awaitable[Running]]


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Serve those strategies; `store` is a file to keep, `opened` False: not yet."""
    ends: list[Callable[[], Awaitable[Any]]] = []

    async def start(
        *specs: Spec,
        store: Path | None = None,
        opened: bool = True,
        desk: FakeDesk | None = None,
        private: bool = False,
        **admission: Any,
    ) -> Running:
        router, desk, timer = Router(), desk or FakeDesk(), FakeTimer()
        database = Database(store)
        group = router.group(**admission)
        routes = [Route("/", "orchestrator"), Route("/ws"), Route("/core", "botcore")]
        server = await group.serve("127.0.0.1", 0, routes)
        server.close_seconds = 0.1
        place = Place(f"ws://127.0.0.1:{server.port}/", "http://127.0.0.1:1", PATH)
        house = House(
            desk, Records(database), group, router.publish, timer.timer, tmp_path / "logs", place
        )
        signals = Signals(router, load("orchestrator"), lambda: 1_700_000_000_000_000_000)
        registry = Registry(specs, house, last_signal=lambda: signals.last, private=private)
        group.commands = Commands(registry)
        running = Running(router, server, registry, desk, timer)

        async def end() -> None:
            if end not in ends:
                return
            ends.remove(end)
            await registry.close()
            for wire in running.wires:
                await wire.bye()
            await group.close(0.2)
            signals.close()
            await database.close()

        ends.append(end)
        running.end = end
        if opened:
            await registry.open()
        return running

    yield start
    for end in [*reversed(ends)]:
        await end()
