"""A store's books, reckoned anew from its trades and orders."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from fastrouter.broker import Broker, Prices, restore
from fastrouter.control.broker_store import BrokerStore


@dataclass(frozen=True)
class Books:
    """One account as its store has it, when no server does."""

    broker: Broker
    #: every order there has been, and every fill, as rows
    orders: list[dict[str, Any]]
    trades: list[dict[str, Any]]
    #: events that are kept, and not known to be announced
    unannounced: int

    @classmethod
    def read(cls, file: Path, account: str = "default") -> Books:
        """Raises sqlite3.Error, StoreError."""
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            state = BrokerStore(account).load(connection, 10**9, 0).state
            rows = connection.execute(
                "SELECT value FROM broker_trade WHERE account = ?", (account,)
            )
            trades = [json.loads(value) for (value,) in rows]
            (left,) = connection.execute("SELECT count(*) FROM broker_event").fetchone()
        orders = list(state["orders"].values())
        return cls(restore(state, Prices()), orders, trades, left)

    def faults(self, accepted: Mapping[str, str]) -> list[str]:
        """What does not add up. `accepted`: client_order_id -> order id, as clients were told."""
        return [*self._unbalanced(), *self._miscounted(accepted)]

    def _unbalanced(self) -> Iterator[str]:
        ledger = self.broker.ledger
        account = ledger.account
        cost = sum((one.cost for one in ledger.positions.values()), Decimal(0))
        if account.cash + cost + account.fees != account.start + account.realised:
            yield f"cash {account.cash} + cost {cost} + fees: not start + realised"
        held: Counter[str] = Counter()
        cash = account.start
        for trade in self.trades:
            quantity = Decimal(trade["executed_quantity"])
            signed = quantity if trade["side"] == "BUY" else -quantity
            held[trade["symbol"]] += signed  # type: ignore[assignment]
            cash -= signed * Decimal(trade["executed_price"]) + Decimal(trade["commission"])
        if cash != account.cash:
            yield f"cash is {account.cash}; by the trades, {cash}"
        positions = {symbol: one.qty for symbol, one in ledger.positions.items()}
        if {symbol: quantity for symbol, quantity in held.items() if quantity} != positions:
            yield f"positions are {positions}; by the trades, {dict(held)}"
        if self.unannounced:
            yield f"{self.unannounced} events were never announced"

    def _miscounted(self, accepted: Mapping[str, str]) -> Iterator[str]:
        known: dict[str, str] = {}
        for order in self.orders:
            name = order["client_order_id"]
            if order["status"] != "rejected" and name in known:
                yield f"{name} is two orders"
            known[name] = order["id"]
        for name, order_id in accepted.items():
            if known.get(name) != order_id:
                yield f"{name} was accepted as {order_id}, and is {known.get(name)}"
        fills = sum(order["fills"] for order in self.orders)
        if fills != len(self.trades):
            yield f"orders have {fills} fills, and there are {len(self.trades)} trades"
