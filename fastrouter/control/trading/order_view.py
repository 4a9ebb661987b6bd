"""An order as Alpaca's API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel

from fastrouter.broker import Broker, Order
from fastrouter.broker.money import text
from fastrouter.control.trading.slices import slices
from fastrouter.control.trading.symbols import shown_symbol
from fastrouter.core.asset import asset_of
from fastrouter.core.kinds import ALPACA_STATUSES
from fastrouter.core.leaves import iso8601

__all__ = ["OrderView", "order_view", "order_views"]

SLICE = 25  # orders, of which half a millisecond is made


class OrderView(BaseModel):
    """Decimals are strings. `topic_symbol` (the symbol of events, with its prefix),
    `strategy_id`, `commission`, `code` and `reason` are ours.
    """

    id: str
    client_order_id: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    submitted_at: AwareDatetime
    filled_at: AwareDatetime | None
    expired_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    canceled_at: AwareDatetime | None
    failed_at: AwareDatetime | None
    replaced_at: AwareDatetime | None
    replaced_by: str | None
    replaces: str | None
    asset_id: str
    symbol: str
    topic_symbol: str
    asset_class: str
    notional: str | None
    qty: str | None
    filled_qty: str
    filled_avg_price: str | None
    order_class: str
    order_type: str
    type: str
    side: str
    time_in_force: str
    limit_price: str | None
    stop_price: str | None
    status: str
    extended_hours: bool
    legs: None
    trail_percent: None
    trail_price: None
    hwm: None
    position_intent: None
    strategy_id: str
    commission: str
    code: str | None
    reason: str | None


def order_view(broker: Broker, order: Order) -> dict[str, Any]:
    """The fields of `OrderView`."""
    asset = asset_of(order.symbol)
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": iso8601(order.created_at),
        "updated_at": iso8601(order.updated_at),
        "submitted_at": iso8601(order.submitted_at),
        "filled_at": _time(order.filled_at),
        "expired_at": _time(order.expired_at),
        "expires_at": _time(order.expires_at),
        "canceled_at": _time(order.canceled_at),
        "failed_at": _time(order.failed_at),
        "replaced_at": _time(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset.id,
        "symbol": shown_symbol(broker, order.symbol),
        "topic_symbol": order.symbol,
        "asset_class": asset.asset_class,
        "notional": _text(order.notional),
        "qty": _text(order.qty) if order.notional is None else None,
        "filled_qty": text(order.filled_qty),
        "filled_avg_price": _text(order.filled_avg_price),
        "order_class": "simple",
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "time_in_force": order.time_in_force,
        "limit_price": _text(order.limit_price),
        "stop_price": _text(order.stop_price),
        "status": ALPACA_STATUSES.get(order.status, order.status),
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "position_intent": None,
        "strategy_id": order.strategy_id,
        "commission": text(order.commission),
        "code": order.code,
        "reason": order.reason,
    }


async def order_views(broker: Broker, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """One for each; the loop serves others meanwhile."""
    views: list[dict[str, Any]] = []
    async for some in slices(orders, SLICE):
        views += [order_view(broker, order) for order in some]
    return views


def _time(ns: int | None) -> str | None:
    return None if ns is None else iso8601(ns)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else text(value)
