"""Positions by worked examples: what a unit cost, what was made, and through zero."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker.money import ZERO, exact
from fastrouter.broker.position import Position, filled

BLANK = Position("t-1", "", "S:A", ZERO, ZERO, ZERO, 7)

#: fills (signed quantity, price), actions, then: quantity, average price, realised in all
CASES = [
    ([(10, 100)], ["OPENED"], 10, "100", "0"),
    ([(10, 100), (10, 110)], ["OPENED", "UPDATED"], 20, "105", "0"),
    ([(10, 100), (10, 110), (-5, 120)], ["OPENED", "UPDATED", "UPDATED"], 15, "105", "75"),
    ([(10, 100), (-10, 99)], ["OPENED", "CLOSED"], 0, None, "-10"),
    ([(-10, 100), (4, 90)], ["OPENED", "UPDATED"], -6, "100", "40"),
    ([(-10, 100), (10, 103)], ["OPENED", "CLOSED"], 0, None, "-30"),
    ([(10, 100), (-15, 110)], ["OPENED", "CLOSED", "OPENED"], -5, "110", "100"),
    ([(-10, 100), (25, 90)], ["OPENED", "CLOSED", "OPENED"], 15, "90", "100"),
    ([(3, "0.1"), (-1, "0.2"), (-1, "0.2"), (-1, "0.2")], None, 0, None, "0.3"),
]


@exact
def run(fills):
    position, actions, realised = None, [], ZERO
    for quantity, price in fills:
        for step in filled(position, BLANK, Decimal(quantity), Decimal(price)):
            actions.append(step.action)
            realised += step.realised
            position = step.position if step.position.qty else None
    return position, actions, realised


@pytest.mark.parametrize(("fills", "actions", "quantity", "average", "realised"), CASES)
def test_positions(fills, actions, quantity, average, realised):
    position, seen, made = run(fills)
    assert actions is None or seen == actions
    assert made == Decimal(realised)
    assert (position.qty if position else 0) == quantity
    if average:
        assert position.average_price == Decimal(average)


def test_what_leaves_takes_its_rounded_share_and_nothing_is_lost():
    position, _, realised = run([(1, 1), (1, 1), (1, "1.1"), (-1, 2)])
    assert position.cost == Decimal("2.066666666666666667")
    assert realised == Decimal("0.966666666666666667")
    assert position.cost - realised == Decimal("1.1")  # 3.1 paid, 2 taken back


def test_a_position_knows_its_round_trip_and_its_gain():
    position, _, _ = run([(10, 100), (-4, 110)])
    assert (position.closed_qty, position.closed_cost, position.closed_value) == (4, 400, 440)
    assert position.realised == 40
    assert position._replace(mark=Decimal(95)).unrealised == -30
    short, _, _ = run([(-10, 100)])
    assert short._replace(mark=Decimal(95)).unrealised == 50
