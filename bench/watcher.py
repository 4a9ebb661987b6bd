"""A session that sees what becomes of every order, and hears what strategies say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import fastrouter
from fastrouter.broker.order import TERMINAL

from .child import ChildFailed


class Watcher:
    """Counts, from the first event that the server has kept; `watching` makes one."""

    def __init__(self) -> None:
        #: order id -> its terminal events
        self.ends: Counter[str] = Counter()
        #: strategy id -> its signals
        self.signals: Counter[str] = Counter()
        self._news = asyncio.Event()

    async def heard(self, strategies: Iterable[str], count: int, patience: float) -> None:
        """Until each has given so many signals. Raises ChildFailed after `patience` s."""
        names = list(strategies)
        if not await self.until(lambda: all(self.signals[one] >= count for one in names), patience):
            mute = ", ".join(one for one in names if self.signals[one] < count)
            raise ChildFailed(f"nothing in {patience:g} s from {mute}")

    async def until(self, reached: Callable[[], bool], patience: float) -> bool:
        """Whether events made it so within `patience` s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not reached():
                    self._news.clear()
                    await self._news.wait()
        return reached()

    async def watch(self, url: str) -> None:
        async with fastrouter.connect(url, "*:order,*:signal", since=0) as events:
            async for event in events:
                if isinstance(event, fastrouter.Event):
                    self.note(event)

    def note(self, event: fastrouter.Event) -> None:
        payload = event.payload
        if event.kind == "order":
            self.ends[payload["id"]] += payload["status"] in TERMINAL
        elif event.kind == "signal":
            self.signals[payload.get("strategy_id", "")] += 1
        self._news.set()


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Watcher]:
    """One that watches. Raises ConnectionFailed at the end when it could not."""
    watcher = Watcher()
    task = asyncio.create_task(watcher.watch(url))
    try:
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
