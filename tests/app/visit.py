"""The whole server, in this process, on its own loop; signals are real."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from fastrouter import app, config
from fastrouter.core.event import Quote
from fastrouter.errors import FeedError


class Scripted:
    """A feed of three quotes that then ends, fails or waits, as its spec says."""

    def __init__(self, then: str = "end") -> None:
        self.published = self.bad_rows = 0
        self.on_state: Callable[[bool], None] | None = None
        self.on_gap: Callable[[str], None] | None = None
        self._then = then

    def describe(self) -> str:
        return f"scripted, then {self._then}"

    async def run(self, router) -> None:
        for number in range(3):
            router.publish(Quote("S:AAPL", bid=100 + number, ask=101 + number))
            self.published += 1
        if self._then == "fail":
            raise FeedError("line 4: the source is gone")
        if self._then == "crash":
            raise ZeroDivisionError
        if self._then == "wait":
            await asyncio.Event().wait()


#: How the next feeds of the spec ``flaky`` go on, first to last.
FLAKY: list[str] = []


def flaky() -> Scripted:
    return Scripted(FLAKY.pop(0))


def settings(**overrides: object) -> config.Settings:
    keys = {name.replace("__", "."): value for name, value in overrides.items()}
    return config.load(None, {"server.port": 0, "feed.spec": "scripted:wait", **keys}).settings


class Visitor:
    """Does something while the server runs, then asks it to stop."""

    def __init__(self, visit: Callable[[app.Serving], object] | None = None) -> None:
        self.visit = visit
        self.task: asyncio.Task[None] | None = None
        self.serving: app.Serving | None = None

    def __call__(self, serving: app.Serving) -> None:
        self.serving = serving
        self.task = asyncio.get_running_loop().create_task(self._run(serving))

    async def _run(self, serving: app.Serving) -> None:
        try:
            if self.visit is not None:
                await self.visit(serving)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
