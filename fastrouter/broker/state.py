"""A broker's state as plain JSON values, and a broker made of it.

The tables are those of the rows that changes have: what a store has put together of
all rows is a state too. It lacks what no row tells: the marks since the last fill,
and the instant of the last market event.
"""

from __future__ import annotations

from typing import Any

from .account import Account
from .broker import Broker
from .market import Market
from .money import exact
from .order import Order
from .position import Position
from .risk import Limits
from .row import from_row, to_row
from .rules import Rules

__all__ = ["restore", "snapshot"]

State = dict[str, Any]


def snapshot(broker: Broker) -> State:
    """All that the broker is, but for its rules and its market."""
    ledger = broker.ledger
    shares = [one for held in ledger.holdings.values() for one in held.values()]
    return {
        "account": {ledger.account.id: to_row(ledger.account)},
        "orders": {order.id: to_row(order) for order in broker.orders},
        "positions": {symbol: to_row(one) for symbol, one in ledger.positions.items()},
        "holdings": {f"{one.strategy_id}|{one.symbol}": to_row(one) for one in shares},
        "limits": {name: to_row(limits) for name, limits in broker.limits.items()},
        "now": broker.now,
    }


@exact
def restore(state: State, market: Market, rules: Rules | None = None) -> Broker:
    """The broker whose snapshot, or whose rows, that is. Raises KeyError, TypeError, ValueError."""
    (account,) = state["account"].values()
    broker = Broker(from_row(Account, account), market, rules)
    for symbol, row in state["positions"].items():
        broker.ledger.positions[symbol] = from_row(Position, row)
    for row in state["holdings"].values():
        share = from_row(Position, row)
        broker.ledger.holdings.setdefault(share.symbol, {})[share.strategy_id] = share
    orders = [from_row(Order, row) for row in state["orders"].values()]
    broker.resume(
        sorted(orders, key=lambda order: (order.is_open, order.number if order.is_open else 0)),
        {name: from_row(Limits, row) for name, row in state["limits"].items()},
        state.get("now"),
    )
    return broker
