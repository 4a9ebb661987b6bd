"""What CORE's frontend shows of a bot, by the broker's books."""

from __future__ import annotations

from typing import Any

from fastrouter.broker import Broker
from fastrouter.broker.money import exact
from fastrouter.broker.payloads import account_event

__all__ = ["figures"]

#: of an account's event
FIGURES = ("mode", "total_balance", "total_pnl", "total_pnl_percent", "total_positions")


@exact
def figures(broker: Broker) -> dict[str, Any]:
    """The account's, as they are now."""
    account = account_event(broker.ledger)
    return {name: account[name] for name in FIGURES if name in account}
