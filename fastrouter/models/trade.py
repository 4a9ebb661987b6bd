"""An execution: some of an order was filled, or could not be."""

from __future__ import annotations

from typing import Annotated, Literal

from fastrouter.models.fields import UPPER, Free, Name, Number, Symbol, Time
from fastrouter.models.order import OrderType, Side
from fastrouter.models.payload import Payload

__all__ = ["Trade"]

Status = Literal["FILLED", "PARTIALLY_FILLED", "CANCELED", "REJECTED"]


class Trade(Payload):
    """Kind ``trade``. `strategy` is a name, `quantity` and `price` what was ordered."""

    id: Name
    order_id: str | None = None
    account_id: Name | None = None
    strategy_id: str | None = None
    strategy: str | None = None
    symbol: Symbol
    side: Side
    type: OrderType | None = None
    quantity: Number | None = None
    price: Number | None = None
    executed_quantity: Number
    executed_price: Number
    commission: Number | None = None
    commission_asset: str | None = None
    status: Annotated[Status, UPPER] = "FILLED"
    entry_time: Time | None = None
    timestamp: Time | None = None
    signal_id: str | None = None
    metadata: Free | None = None
