"""What fills cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Commission
from fastrouter.errors import ConfigError

from .desk import Desk


@pytest.mark.parametrize(
    ("rates", "first", "then"),
    [
        ({}, "0", "0"),
        ({"per_order": 1}, "1", "0"),
        ({"per_unit": "0.005"}, "0.05", "0.05"),
        ({"percent": "0.1"}, "1", "1"),
        ({"per_order": "0.5", "per_unit": "0.01", "percent": "0.25"}, "3.1", "2.6"),
        ({"percent": "0.0000000001"}, "0.000000001", "0.000000001"),
    ],
)
def test_ten_at_a_hundred(rates, first, then):
    commission = Commission(rates)
    assert commission.of(Decimal(10), Decimal(100), True) == Decimal(first)
    assert commission.of(Decimal(10), Decimal(100), False) == Decimal(then)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"per_share": 1}, "'per_share' is unknown; allowed: per_order, per_unit, percent"),
        ({"percent": -1}, "allowed: 0 to 10^6"),
        ({"percent": "1e7"}, "allowed: 0 to 10^6"),
        ({"percent": "NaN"}, "allowed: "),
        ({"percent": "x"}, "allowed: "),
    ],
)
def test_what_no_rate_can_be(rates, said):
    with pytest.raises(ConfigError) as caught:
        Commission(rates)
    assert said in str(caught.value)


def test_an_order_is_charged_once_and_fees_are_counted():
    desk = Desk(commission=Commission({"per_order": 1, "per_unit": "0.1"}))
    desk.quote(99, 100)
    order = desk.order(qty=10)
    desk.quote(99, 100, ask_size=4)
    desk.quote(99, 100)
    assert desk.get(order).commission == desk.broker.ledger.account.fees == 2
    assert desk.broker.ledger.account.cash == 8998
