"""What is held of one symbol: by the account, or by one of its strategies.

Long and short are one signed `qty`. `cost` is signed too: what a long one was paid
with, less what a short one was sold for, exact. An average price is only ever a
quotient for people. What leaves a position takes its share of the cost, rounded to
18 decimals; the profit takes the rest, so that nothing is lost between them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .money import EXACT, ZERO, quotient

__all__ = ["Position", "Step", "filled"]

COST_PLACES = 18


class Position(NamedTuple):
    """From its opening to its closing; a flat one is none. Its figures are exact anywhere."""

    #: the trade that opened it
    id: str
    strategy_id: str
    symbol: str
    qty: Decimal
    cost: Decimal
    #: what a unit could be closed at in the last event; the price of a fill where that said none
    mark: Decimal
    opened_at: int
    #: of what was closed since it was opened: units, their cost, and what they brought; signed
    closed_qty: Decimal = ZERO
    closed_cost: Decimal = ZERO
    closed_value: Decimal = ZERO

    @property
    def average_price(self) -> Decimal:
        """What a unit cost, to ten decimals."""
        return quotient(self.cost, self.qty) if self.qty else ZERO

    @property
    def value(self) -> Decimal:
        """What it would bring at the mark; negative when short."""
        return EXACT.multiply(self.qty, self.mark)

    @property
    def unrealised(self) -> Decimal:
        return EXACT.subtract(self.value, self.cost)

    @property
    def realised(self) -> Decimal:
        """Of what was closed, commissions apart."""
        return EXACT.subtract(self.closed_value, self.closed_cost)

    def closing(self, quantity: Decimal) -> Decimal:
        """How much of a signed quantity would close some of it; not signed."""
        if self.qty * quantity >= 0:
            return ZERO
        return min(abs(self.qty), abs(quantity))


class Step(NamedTuple):
    """What a fill did to a position: OPENED, UPDATED or CLOSED, and what it is now."""

    action: str
    position: Position
    #: profit of this step, commissions apart
    realised: Decimal


def filled(
    position: Position | None, blank: Position, quantity: Decimal, price: Decimal
) -> list[Step]:
    """The steps of a fill of a signed quantity: one, or two when it flips through zero.

    `blank` is a flat position with what a new one would have.
    """
    steps = []
    if position is not None and (closing := position.closing(quantity)):
        step = _closed(position, closing, price)
        steps.append(step)
        quantity += closing if quantity < 0 else -closing
        position = None
    if quantity:
        held = position or blank
        grown = held._replace(
            qty=held.qty + quantity, cost=held.cost + quantity * price, mark=price
        )
        steps.append(Step("UPDATED" if position else "OPENED", grown, ZERO))
    return steps


def _closed(position: Position, quantity: Decimal, price: Decimal) -> Step:
    whole = quantity == abs(position.qty)
    part = quantity if position.qty > 0 else -quantity
    cost = position.cost
    if not whole:
        cost = quotient(position.cost * part, position.qty, COST_PLACES)
    left = position._replace(
        qty=position.qty - part,
        cost=position.cost - cost,
        mark=price,
        closed_qty=position.closed_qty + part,
        closed_cost=position.closed_cost + cost,
        closed_value=position.closed_value + part * price,
    )
    return Step("CLOSED" if whole else "UPDATED", left, part * price - cost)
