"""Where digits are kept, and where they are let go."""

from __future__ import annotations

from decimal import Decimal, FloatOperation, Inexact
from random import Random

import pytest

from fastrouter.broker.money import exact, lots, price, quotient, size, text, units


def test_exact_arithmetic_loses_no_digit_and_takes_no_float():
    third = exact(lambda: Decimal(1) / 3)
    half = 0.5
    mixed = exact(lambda: Decimal(1) == half)
    long = exact(lambda: Decimal("1e-30") + Decimal("1e30"))
    with pytest.raises(Inexact):
        third()
    with pytest.raises(FloatOperation):
        exact(lambda: Decimal(1) + Decimal(half))()
    assert mixed() is False
    assert long() == Decimal("1000000000000000000000000000000.000000000000000000000000000001")


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (150.25, "150.25"),
        (0.1, "0.1"),
        (1e-7, "1e-7"),
        (1.23456789012345678e-5, "0.000012345678901"),
        (999_999_999_999.9999, "999999999999.9999"),
        (1e-16, None),
        (0.0, None),
        (-1.0, None),
        (1e12, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_a_price_is_what_the_float_shows(given, made):
    assert price(given) == (None if made is None else Decimal(made))


def test_sizes_are_rounded_down_and_0_is_unknown():
    assert size(0.1 + 0.2) == Decimal("0.3")
    assert size(1e-10) == 0
    assert size(0.0) is size(float("inf")) is size(-1.0) is None
    assert lots(Decimal("1.9999999999")) == Decimal("1.999999999")


def test_what_a_sum_buys_never_costs_more():
    dice = Random(1)
    for _ in range(2000):
        notional = Decimal(dice.randrange(1, 10**12)).scaleb(-dice.randrange(9))
        at = Decimal(repr(dice.uniform(0.001, 10_000)))
        assert units(notional, at) * at <= notional


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("0E-9", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("10.50", "10.5"),
        ("1e-9", "0.000000001"),
    ],
)
def test_text_is_plain(given, made):
    assert text(Decimal(given)) == made


def test_a_quotient_is_rounded_half_to_even():
    assert quotient(Decimal(1), Decimal(8), 2) == Decimal("0.12")
    assert quotient(Decimal(2), Decimal(3)) == Decimal("0.6666666667")
