"""What a desk answers, typed. Amounts are `Decimal`: exact, as the desk keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Self

__all__ = ["Account", "Order", "Position"]

OPEN = frozenset({"new", "accepted", "partially_filled", "pending_new", "held"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Its fields in the answer's own names, but for a symbol, which is that of events, with its
    prefix; ``said`` is all that was answered.
    """

    said: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Raises KeyError or ValueError for an answer that is not of this kind."""
        symbol = said.get("topic_symbol", said.get("symbol"))
        told = {**said, "symbol": symbol}
        values = {
            name: CONVERT[one.type](told.get(name))
            for name, one in cls.__dataclass_fields__.items()
            if name != "said"
        }
        return cls(said=said, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Result):
    """An order as it is now. ``qty`` is None of one that has a ``notional``."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    status: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    filled_qty: Decimal
    filled_avg_price: Decimal | None

    @property
    def is_open(self) -> bool:
        """May it be filled yet?"""
        return self.status in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Result):
    """What is held of a symbol; ``qty`` is below 0 of a short one."""

    symbol: str
    side: str
    qty: Decimal
    avg_entry_price: Decimal | None
    market_value: Decimal | None
    cost_basis: Decimal | None
    unrealized_pl: Decimal | None
    current_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Result):
    """``equity`` is cash and what the positions would bring."""

    id: str
    status: str
    currency: str
    cash: Decimal
    equity: Decimal
    buying_power: Decimal


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _figure(value: object) -> Decimal | None:
    return None if value is None else _amount(value)


def _amount(value: object) -> Decimal:
    """None is 0, as of an order that nothing was filled of."""
    try:
        return Decimal(str(value)) if value is not None else Decimal(0)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None


#: annotation of a field -> what makes it of the answer's
CONVERT: dict[Any, Any] = {"str": _text, "Decimal": _amount, "Decimal | None": _figure}
