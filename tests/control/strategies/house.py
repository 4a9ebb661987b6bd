"""A desk without a store, a timer that waits for nobody, and programs that a shell runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fastrouter import Quote
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

    async def settled(self) -> None:
        """All is."""

    @staticmethod
    def decimal(text: str) -> Decimal:
        return Decimal(text)

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

    @property
    def waiting(self) -> bool:
        return bool(self._bells)

    def ring(self, seconds: float | None = None) -> None:
        self.time += self.waits[-1] if seconds is None else seconds
        for bell in self._bells:
            bell.set()
        self._bells.clear()


def shell(name: str, script: str = FOREVER, **more: Any) -> Spec:
    """A strategy that is a script."""
    return Spec(name, ("/bin/sh", "-c", script), name.title(), **more)


async def held(desk: FakeDesk, strategy_id: str, symbol: str, qty: str, at: float) -> None:
    """Have the strategy buy so much of it at that price."""
    order = {
        "symbol": symbol,
        "qty": qty,
        "side": "buy",
        "type": "market",
        "strategy_id": strategy_id,
    }
    quote = Quote(symbol, bid=at, ask=at, last=at, bid_size=1000, ask_size=1000)
    desk.broker.market.on_quote(quote)
    await desk.change(lambda broker, now: broker.submit(order, now))
    await desk.change(lambda broker, now: broker.on_quote(quote, now + 1))


async def order(desk: FakeDesk, strategy_id: str) -> None:
    """Have the strategy submit an order that stays open."""
    desk.broker.market.on_quote(Quote("S:AAPL", bid=100, ask=101))
    fields = {"symbol": "S:AAPL", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1"}
    await desk.change(
        lambda broker, now: broker.submit({**fields, "strategy_id": strategy_id}, now)
    )
