"""What a run's orders came to: the formulas, without state.

::

    trade           from flat to flat, or through zero: a fill that turns a long position into a
                    short one closes one trade and opens another
    profit          what its sales brought - what its purchases cost - its commissions; the
                    commission of a fill through zero is shared by units
    win_rate        trades with profit > 0 / trades; 0 when there are none
    equity          cash + units held * what a unit could be closed at
    total_return    last equity / first equity - 1
    fall            (highest equity so far - equity) / highest equity so far
    max_drawdown    the largest fall
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from ..broker.money import ZERO, exact, quotient

__all__ = ["FLAT", "Filled", "Held", "Report", "fall", "met", "total_return", "win_rate"]

PLACES = 18  # of what is shared, and of ratios


class Filled(NamedTuple):
    """Units that were bought (above 0) or sold at a price, and what that cost."""

    quantity: Decimal
    price: Decimal
    commission: Decimal


class Held(NamedTuple):
    """An open trade: units, below 0 when short, and what it has brought so far."""

    quantity: Decimal
    brought: Decimal


class Report(NamedTuple):
    """The figures of a run. Shares are of 1."""

    total_trades: int
    win_rate: float
    total_return: float
    max_drawdown: float
    final_equity: float


FLAT = Held(ZERO, ZERO)


@exact
def met(held: Held, fill: Filled) -> tuple[Held, Decimal | None]:
    """What is held after a fill; and the profit of the trade that it closed, if it did."""
    after = held.quantity + fill.quantity
    brought = held.brought - fill.quantity * fill.price - fill.commission
    if after and (not held.quantity or (held.quantity > 0) == (after > 0)):
        return Held(after, brought), None
    if not after:
        return FLAT, brought
    commission = quotient(fill.commission * after, fill.quantity, PLACES)
    opening = -after * fill.price - commission
    return Held(after, opening), brought - opening


def win_rate(wins: int, trades: int) -> float:
    return wins / trades if trades else 0.0


def total_return(first: Decimal, last: Decimal) -> float:
    """0 when there was nothing at first."""
    return float(quotient(last - first, first, PLACES)) if first else 0.0


def fall(peak: Decimal, equity: Decimal) -> Decimal:
    """How far it is below the peak, as a share of it; 0 when the peak is nothing."""
    return quotient(peak - equity, peak, PLACES) if peak > equity and peak > 0 else ZERO
