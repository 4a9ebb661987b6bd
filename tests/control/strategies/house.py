"""A desk without a store, a timer that waits for nobody, and programs that a shell runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from fastrouter.broker import Account, Broker, Change, Prices
from fastrouter.control.strategies import Spec
from fastrouter.control.strategies.keeper import Timer

SYMBOLS = ("S:AAPL", "S:MSFT", "C:MSFT", "C:BTCUSD")
#: runs until it is told to end
FOREVER = "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done"


class FakeDesk:
    """Changes at once; announces nothing."""

    def __init__(self, mode: str = "PAPER_TRADING") -> None:
        account = Account.opened("default", 100_000, mode=mode)
        self.broker = Broker(account, Prices(SYMBOLS))
        self.error: Exception | None = None

    def now(self) -> int:
        return time.time_ns()

    async def change(self, call: Callable[[Broker, int], Change]) -> Change:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return call(self.broker, self.now())

    def signal(self, payload: dict[str, Any]) -> str:
        raise AssertionError


class FakeTimer:
    """What is waited for is written down; `ring` ends the waits."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []
        self._bells: list[asyncio.Event] = []

    @property
    def timer(self) -> Timer:
        return Timer(lambda: self.time, self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        bell = asyncio.Event()
        self._bells.append(bell)
        await bell.wait()

    def ring(self, seconds: float | None = None) -> None:
        self.time += self.waits[-1] if seconds is None else seconds
        for bell in self._bells:
            bell.set()
        self._bells.clear()


def shell(name: str, script: str = FOREVER, **more: Any) -> Spec:
    """A strategy that is a script."""
    return Spec(name, ("/bin/sh", "-c", script), name.title(), **more)
