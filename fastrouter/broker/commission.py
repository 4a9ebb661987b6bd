"""What a fill costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from fastrouter.errors import ConfigError
from fastrouter.models.fields import decimal_text

from .money import ZERO, rounded

__all__ = ["FREE", "RATES", "Commission"]

#: decimals of a commission, half to even
PLACES = 9

Rule = Callable[[Decimal, Decimal, Decimal, bool], Decimal]

#: rate -> the commission of (rate, quantity, price, whether it is the order's first fill)
RATES: dict[str, Rule] = {
    "per_order": lambda rate, quantity, price, first: rate if first else ZERO,
    "per_unit": lambda rate, quantity, price, first: rate * quantity,
    "percent": lambda rate, quantity, price, first: rate.scaleb(-2) * quantity * price,
}


class Commission:
    """The sum of some rates, e.g. ``{"per_order": 1, "percent": "0.1"}``.

    Raises ConfigError for an unknown or negative rate.
    """

    __slots__ = ("_rates",)

    def __init__(self, rates: Mapping[str, Decimal | float | str]) -> None:
        self._rates: list[tuple[Rule, Decimal]] = []
        for name, rate in rates.items():
            if name not in RATES:
                raise ConfigError(f"commission {name!r} is unknown; allowed: {', '.join(RATES)}")
            try:
                number = Decimal(decimal_text(rate))
            except ValueError:
                number = Decimal(-1)
            if not 0 <= number < 10**6:
                raise ConfigError(f"commission {name} is {rate!r}; allowed: 0 to 10^6")
            if number:
                self._rates.append((RATES[name], number))

    def of(self, quantity: Decimal, price: Decimal, first: bool) -> Decimal:
        """To nine decimals."""
        if not self._rates:
            return ZERO
        total = sum((rule(rate, quantity, price, first) for rule, rate in self._rates), ZERO)
        return rounded(total, PLACES)


FREE = Commission({})
