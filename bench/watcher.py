"""A session that sees what becomes of every order and strategy, and hears what strategies say."""

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
        #: strategy id -> why it runs no more
        self.stopped: dict[str, str] = {}
        self._news = asyncio.Event()

    async def heard(self, strategies: Iterable[str], count: int, patience: float) -> None:
        """Until each has given so many signals.

        Raises ChildFailed when one stopped, and after `patience` s.
        """
        names = list(strategies)
        await self.until(
            lambda: bool(self.stopped) or all(self.signals[one] >= count for one in names),
            patience,
        )
        for name, why in self.stopped.items():
            raise ChildFailed(f"strategy {name} stopped: {why}")
        mute = [one for one in names if self.signals[one] < count]
        if mute:
            raise ChildFailed(f"nothing in {patience:g} s from {', '.join(mute)}")

    async def until(self, reached: Callable[[], bool], patience: float) -> None:
        """Until events have made it so, or for `patience` s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not reached():
                    self._news.clear()
                    await self._news.wait()

    async def watch(self, url: str) -> None:
        async with fastrouter.connect(url, "*:order,*:signal,*:strategy", since=0) as events:
            async for event in events:
                if isinstance(event, fastrouter.Event):
                    self.note(event)

    def note(self, event: fastrouter.Event) -> None:
        payload = event.payload
        if event.kind == "order":
            self.ends[payload["id"]] += payload["status"] in TERMINAL
        elif event.kind == "signal":
            self.signals[payload.get("strategy_id", "")] += 1
        elif event.kind == "strategy" and payload["event"] == "stopped":
            self.stopped[payload["strategy_id"]] = payload.get("reason", "it was told to")
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
