"""An order, its states, and which may follow which. The words are Alpaca's v2.

::

    pending_new ──▶ accepted ──▶ new ──▶ partially_filled ──▶ filled
                                  └──▶ canceled, expired, replaced      (from any that is open)
    pending_new ──▶ rejected

``accepted`` is an order that no market event has met yet, ``new`` one that was met
and rests. The pending states are for brokers who have to ask somebody.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from fastrouter.errors import OrderError

from .money import ZERO, quotient

__all__ = ["OPEN", "TERMINAL", "TRANSITIONS", "Order"]

_ENDS = ("filled", "canceled", "expired", "replaced")
_PENDING = ("pending_cancel", "pending_replace")

#: status -> those that may follow it
TRANSITIONS: dict[str, frozenset[str]] = {
    "pending_new": frozenset({"accepted", "rejected"}),
    "accepted": frozenset({"new", "partially_filled", *_ENDS, *_PENDING}),
    "new": frozenset({"partially_filled", *_ENDS, *_PENDING}),
    "partially_filled": frozenset({"partially_filled", *_ENDS, *_PENDING}),
    "pending_cancel": frozenset({"accepted", "new", "partially_filled", *_ENDS}),
    "pending_replace": frozenset({"accepted", "new", "partially_filled", *_ENDS}),
    **{end: frozenset() for end in (*_ENDS, "rejected")},
}

#: what nothing follows; an order is in one of them at its end, and gets there once
TERMINAL = frozenset(status for status, after in TRANSITIONS.items() if not after)
OPEN = frozenset(TRANSITIONS) - TERMINAL - {"pending_new"}

#: status -> the field that says since when
STAMPS = {
    "filled": "filled_at",
    "canceled": "canceled_at",
    "expired": "expired_at",
    "rejected": "failed_at",
    "replaced": "replaced_at",
}


class Order(NamedTuple):
    """One order as it is at a time; a change makes another value. Times are ns."""

    id: str
    #: rising in the order of submission: time priority
    number: int
    client_order_id: str
    strategy_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    #: of an order by `notional`: what it comes to at its first fill's price, None before
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: str
    created_at: int
    updated_at: int
    submitted_at: int
    #: the instant (`now`) of the market event before submission: no event of it counts
    known_at: int | None
    #: the session end at which a day order expires
    expires_at: int | None
    #: what buying power is reserved at, a unit
    hold_price: Decimal
    #: made to close a position: no limit refuses it
    closing: bool = False
    #: a stop's price was touched
    triggered: bool = False
    filled_qty: Decimal = ZERO
    #: sum of quantity times price, exact
    filled_value: Decimal = ZERO
    fills: int = 0
    commission: Decimal = ZERO
    filled_at: int | None = None
    canceled_at: int | None = None
    expired_at: int | None = None
    failed_at: int | None = None
    replaced_at: int | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    #: why it was rejected or canceled: a word for programs, a line for people
    code: str | None = None
    reason: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_buy(self) -> bool:
        return self.side == "buy"

    @property
    def remaining(self) -> Decimal:
        """What is still to fill; by notional, at the price that is reserved."""
        if self.qty is None:
            assert self.notional is not None
            return quotient(self.notional, self.hold_price, 9)
        return self.qty - self.filled_qty

    @property
    def filled_avg_price(self) -> Decimal | None:
        """To ten decimals; None before the first fill."""
        return quotient(self.filled_value, self.filled_qty) if self.filled_qty else None

    def moved(self, status: str, now: int, **changes: Any) -> Order:
        """The order in another state. Raises OrderError when that may not follow."""
        if status not in TRANSITIONS[self.status]:
            allowed = ", ".join(sorted(TRANSITIONS[self.status])) or "nothing"
            raise OrderError(
                f"order {self.id} is {self.status}; {status} may not follow, allowed: {allowed}",
                code="ORDER_NOT_OPEN",
            )
        if status in STAMPS:
            changes[STAMPS[status]] = now
        return self._replace(status=status, updated_at=now, **changes)
