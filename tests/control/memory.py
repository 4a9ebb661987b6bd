"""A desk that keeps nothing: a broker, a clock that stands, and a router if there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastrouter import Quote, Router
from fastrouter.broker import Account, Broker, Change, Prices, Rules
from fastrouter.errors import StoreError

START = 1_735_689_600_000_000_000  # 2025-01-01T00:00:00Z
SECOND = 1_000_000_000
SYMBOLS = ("S:AAPL", "S:MSFT", "C:BTCUSD")


class MemoryDesk:
    """`fastrouter.control.desk.Desk`. Each change and each quote is a second after the last."""

    def __init__(
        self,
        router: Router | None = None,
        *,
        account: str = "paper",
        cash: int = 100_000,
        symbols: tuple[str, ...] = SYMBOLS,
        rules: Rules | None = None,
    ) -> None:
        self.prices = Prices(symbols)
        self.broker = Broker(Account.opened(account, cash), self.prices, rules)
        self.router = router
        self.time = START
        self.full = False  # the disk
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.signals: list[dict[str, Any]] = []

    def now(self) -> int:
        return self.time

    async def change(self, call: Callable[[Broker, int], Change]) -> Change:
        if self.full:
            raise StoreError("no space left on device")
        self.time += SECOND
        return self._announce(call(self.broker, self.time))

    async def settled(self) -> None:
        if self.full:
            raise StoreError("no space left on device")

    def signal(self, payload: dict[str, Any]) -> str:
        self.signals.append(payload)
        if self.router is not None:
            self.router.publish("signal", payload)
        return f"evt_{len(self.signals)}"

    def quote(self, symbol: str, bid: float, ask: float, size: float = 1000) -> Change:
        """The market says so."""
        self.time += SECOND
        quote = Quote(symbol, bid=bid, ask=ask, last=bid, bid_size=size, ask_size=size)
        self.prices.on_quote(quote)
        return self._announce(self.broker.on_quote(quote, self.time))

    def _announce(self, change: Change) -> Change:
        self.events += change.events
        if self.router is not None:
            for kind, payload in change.events:
                self.router.publish(kind, payload)
        return change
