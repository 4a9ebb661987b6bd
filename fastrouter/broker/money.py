"""Exact decimals: what money and quantities are made of, and where they are rounded.

All arithmetic of this room is done within `exact`: there a sum or a product that
would lose a digit raises `decimal.Inexact`, and a float in it
`decimal.FloatOperation`. What must be rounded says so: `quotient`, `lots`.

Prices are below 10^12 and have 15 decimals (a quote's shortest digits may be 16),
quantities are below 10^12 and have 9: so a product has at most 49 digits, and no sum
of them comes near `EXACT.prec`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["EXACT", "LIMIT", "PRICE_PLACES", "ZERO", "exact", "text"]
__all__ += ["lots", "price", "quotient", "rounded", "size", "units"]

P = ParamSpec("P")
R = TypeVar("R")

EXACT = Context(
    prec=160, traps=[Inexact, FloatOperation, InvalidOperation, DivisionByZero, Overflow]
)
ROUNDED = Context(
    prec=100, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
DOWN = Context(prec=100, rounding=ROUND_DOWN, traps=[InvalidOperation, DivisionByZero, Overflow])

ZERO = Decimal(0)
#: what prices and quantities are below
LIMIT = Decimal(10) ** 12
PRICE_PLACES = 15
LOT = Decimal("1e-9")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """The function, with all its decimal arithmetic exact."""

    @wraps(function)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return within


def quotient(dividend: Decimal, divisor: Decimal, places: int = 10) -> Decimal:
    """The quotient to so many decimals, half to even."""
    return ROUNDED.divide(dividend, divisor).quantize(Decimal(1).scaleb(-places), context=ROUNDED)


def rounded(value: Decimal, places: int) -> Decimal:
    """To so many decimals, half to even."""
    return value.quantize(Decimal(1).scaleb(-places), context=ROUNDED)


def lots(quantity: Decimal) -> Decimal:
    """The quantity rounded down to the 9 decimals that quantities have."""
    return quantity.quantize(LOT, context=DOWN)


def units(notional: Decimal, price: Decimal) -> Decimal:
    """How much that buys, rounded down to the 9 decimals of a quantity."""
    return DOWN.divide(notional, price).quantize(LOT, context=DOWN)


def price(value: float) -> Decimal | None:
    """A quote's price by its shortest digits; None when it is no price that can be paid.

    That is one that is not above 0 (which is how feeds say "no such side"), not
    finite, or not below 10^12.
    """
    if not 0.0 < value < 1e12:
        return None
    number = Decimal(repr(value))
    if value < 1.0:
        number = number.quantize(Decimal(1).scaleb(-PRICE_PLACES), context=ROUNDED)
    return number or None


def size(value: float) -> Decimal | None:
    """A quote's size or a bar's volume; None when it is not known (0), so unlimited."""
    if not 0.0 < value < 1e12:
        return None
    return lots(Decimal(repr(value)))


def text(value: Decimal) -> str:
    """The number without exponent or trailing zeros."""
    if not value:
        return "0"
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
