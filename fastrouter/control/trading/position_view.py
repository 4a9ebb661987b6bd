"""A position as Alpaca's API shows it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from fastrouter.broker import Broker, Position
from fastrouter.broker.money import ZERO, quotient, text
from fastrouter.broker.rules import DAY
from fastrouter.control.trading.symbols import shown_symbol
from fastrouter.core.asset import asset_of

__all__ = ["PositionView", "position_view"]


class PositionView(BaseModel):
    """Decimals are strings; `qty` is below 0 for a short one. What nobody knows is null.

    `qty_available` is what an order here could close: what is in no open order and, on the
    account's own mount, in no strategy's hands (`DELETE` closes that as well).
    `topic_symbol`, the symbol of events, is ours.
    """

    asset_id: str
    symbol: str
    topic_symbol: str
    exchange: str
    asset_class: str
    asset_marginable: bool
    avg_entry_price: str
    qty: str
    qty_available: str
    side: str
    market_value: str
    cost_basis: str
    unrealized_pl: str
    unrealized_plpc: str
    unrealized_intraday_pl: str | None
    unrealized_intraday_plpc: str | None
    current_price: str
    lastday_price: None
    change_today: None


def position_view(broker: Broker, position: Position, strategy_id: str | None) -> dict[str, Any]:
    """The fields of `PositionView`; of one strategy's share of the position if it is named."""
    asset = asset_of(position.symbol)
    part = text(_part(position))
    day_end = broker.ledger.account.day_end
    today = day_end is not None and position.opened_at >= day_end - DAY
    available = broker.available(position.symbol, strategy_id or "")
    if available * position.qty < 0:  # who asks is on the other side than all together
        available = ZERO
    return {
        "asset_id": asset.id,
        "symbol": shown_symbol(broker, position.symbol),
        "topic_symbol": position.symbol,
        "exchange": asset.exchange,
        "asset_class": asset.asset_class,
        "asset_marginable": False,
        "avg_entry_price": text(position.average_price),
        "qty": text(position.qty),
        "qty_available": text(available),
        "side": "long" if position.qty > 0 else "short",
        "market_value": text(position.value),
        "cost_basis": text(position.cost),
        "unrealized_pl": text(position.unrealised),
        "unrealized_plpc": part,
        "unrealized_intraday_pl": text(position.unrealised) if today else None,
        "unrealized_intraday_plpc": part if today else None,
        "current_price": text(position.mark),
        "lastday_price": None,
        "change_today": None,
    }


def _part(position: Position) -> Decimal:
    """What it gained, as a part of its cost."""
    cost = abs(position.cost)
    return quotient(position.unrealised, cost) if cost else ZERO
