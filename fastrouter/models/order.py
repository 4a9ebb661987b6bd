"""An order's state, and what has just happened to it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastrouter.models.fields import UPPER, Free, Name, Number, Symbol, Time
from fastrouter.models.payload import Payload

__all__ = ["Order", "OrderType", "Side"]

Happened = Literal[
    "ORDER_ACCEPTED",
    "ORDER_FILLED",
    "ORDER_PARTIALLY_FILLED",
    "ORDER_CANCELED",
    "ORDER_REJECTED",
    "ORDER_REPLACED",
    "ORDER_EXPIRED",
]
Side = Annotated[Literal["BUY", "SELL"], UPPER]
OrderType = Annotated[Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT"], UPPER]


class Order(Payload):
    """Kind ``order``."""

    event: Annotated[Happened, UPPER] | None = None
    id: Name
    client_order_id: str | None = None
    account_id: Name | None = None
    strategy_id: str | None = None
    symbol: Symbol
    side: Side | None = None
    type: OrderType | None = None
    time_in_force: str | None = None
    qty: Number | None = None
    filled_qty: Number | None = None
    filled_avg_price: Number | None = None
    limit_price: Number | None = None
    stop_price: Number | None = None
    status: str | None = None
    reason: str | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    metadata: Free | None = None
