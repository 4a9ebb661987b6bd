"""A position that was opened, changed or closed."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import model_validator

from fastrouter.core.leaves import parse_iso8601
from fastrouter.models.cases import GIVEN, Cases, hold
from fastrouter.models.fields import (
    UPPER,
    Free,
    Name,
    Number,
    Real,
    Symbol,
    Time,
    decimal_text,
    real,
)
from fastrouter.models.payload import Payload

__all__ = ["Position"]

MINUTE = 60_000_000_000  # ns
SIGNS = {"LONG": 1, "SHORT": -1}
PLACES = Decimal("1e-10")  # of what is computed


class Position(Payload):
    """Kind ``position``.

    One that is CLOSED has an `exit_price`; `pnl`, `pnl_pct` (percent of the entry
    price) and `duration_minutes` are computed where they are missing and can be.
    `realized_pnl` is of what was closed of an open one so far, commissions apart.
    """

    CASES: ClassVar[Cases] = (
        {"action": frozenset({"OPENED", "UPDATED"})},
        {"action": frozenset({"CLOSED"}), "exit_price": GIVEN},
    )

    id: Name
    account_id: Name | None = None
    strategy_id: str | None = None
    strategy: str | None = None
    symbol: Symbol
    side: Annotated[Literal["LONG", "SHORT"], UPPER]
    action: Annotated[Literal["OPENED", "UPDATED", "CLOSED"], UPPER]
    quantity: Number
    entry_price: Number
    current_price: Number | None = None
    leverage: Number | None = None
    unrealized_pnl: Number | None = None
    unrealized_pnl_percent: Number | None = None
    realized_pnl: Number | None = None
    liquidation_price: Number | None = None
    margin: Number | None = None
    stop_loss: Number | None = None
    take_profit: Number | None = None
    entry_time: Time | None = None
    exit_price: Number | None = None
    exit_time: Time | None = None
    exit_type: str | None = None
    pnl: Number | None = None
    pnl_pct: Number | None = None
    duration_minutes: Real | None = None
    metadata: Free | None = None

    @model_validator(mode="after")
    def _closed_has_an_exit_price(self) -> Position:
        if not hold(self.CASES, self.__dict__):
            raise ValueError("'exit_price' is missing; a position that is CLOSED has one")
        return self

    def plain(self) -> dict[str, Any]:
        """The fields that were set or could be computed, in the model's order."""
        if self.action != "CLOSED":
            return super().plain()
        computed = self.__dict__ | {
            "pnl": self.pnl or self._pnl(),
            "pnl_pct": self.pnl_pct or self._percent(),
            "duration_minutes": self._duration(),
        }
        return {name: value for name, value in computed.items() if value is not None}

    def _gain(self) -> Decimal:
        """What one unit gained."""
        assert self.exit_price is not None
        return SIGNS[self.side] * (Decimal(self.exit_price) - Decimal(self.entry_price))

    def _pnl(self) -> str:
        return _rounded(self._gain() * Decimal(self.quantity))

    def _percent(self) -> str | None:
        entry = Decimal(self.entry_price)
        return _rounded(100 * self._gain() / entry) if entry else None

    def _duration(self) -> int | float | None:
        if self.duration_minutes is not None or not (self.entry_time and self.exit_time):
            return self.duration_minutes
        return real((parse_iso8601(self.exit_time) - parse_iso8601(self.entry_time)) / MINUTE)


def _rounded(value: Decimal) -> str:
    """To ten decimals, without trailing zeros."""
    if value.adjusted() < 15:  # beyond that there are no ten decimals to keep
        value = value.quantize(PLACES)
    return decimal_text(value.normalize())
