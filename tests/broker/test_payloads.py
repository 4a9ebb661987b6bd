"""What events tell of positions and the account beside what their orders do."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from fastrouter.broker import Commission, Limits
from fastrouter.core.event import Event
from fastrouter.dialects import load

from .desk import SYMBOL, Desk


def told(desk, kind):
    found = [payload for name, payload in desk.events if name == kind]
    desk.events = []
    return found


def test_a_partial_close_says_what_it_brought():
    desk = Desk()
    desk.quote(100, 100)
    desk.buys(qty=10)
    desk.order("sell", qty=4)
    desk.quote(103, 104)
    (updated,) = told(desk, "position")
    assert (updated["action"], updated["quantity"]) == ("UPDATED", "6")
    assert (updated["realized_pnl"], updated["unrealized_pnl"]) == ("12", "18")
    desk.order("sell", qty=1)
    desk.quote(99, 100)
    (updated,) = told(desk, "position")
    assert (updated["realized_pnl"], updated["unrealized_pnl"]) == ("11", "-5")
    desk.order("sell", qty=5)
    desk.quote(99, 100)
    (closed,) = told(desk, "position")
    assert (closed["action"], closed["pnl"]) == ("CLOSED", "6")
    assert "realized_pnl" not in closed


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        ({}, "market"),
        ({"type": "limit", "limit_price": 99}, "limit"),
        ({"type": "stop", "stop_price": 99}, "stop"),
        ({"type": "stop_limit", "stop_price": 99, "limit_price": 98}, "stop_limit"),
    ],
)
def test_an_exit_is_of_its_orders_kind(order, kind):
    desk = Desk()
    desk.quote(100, 100)
    desk.buys(qty=10)
    desk.order("sell", qty=10, **order)
    desk.quote(99, 100)
    (closed,) = told(desk, "position")
    assert (closed["action"], closed["exit_type"]) == ("CLOSED", kind)
    assert dgbit(closed)["exit_type"] == kind


def test_an_exit_by_stop_loss_says_so():
    desk = Desk()
    desk.quote(100, 100)
    desk.took(desk.broker.limit("s", Limits.parse({"stopLossPercentage": 0.1}), desk.now))
    desk.order(strategy_id="s")
    desk.quote(100, 100)
    desk.quote(80, 81)
    desk.events = []
    desk.quote(80, 81)
    (closed,) = told(desk, "position")
    assert dgbit(closed)["exit_type"] == closed["exit_type"] == "STOP_LOSS"


def dgbit(payload):
    """DGBIT's message of a position that was closed."""
    message = json.loads(load("dgbit").encode(Event("position", payload, time=0)))
    assert message["type"] == "trade.exited"
    return message["payload"]


def test_a_position_names_the_strategy_that_holds_all_of_it():
    desk = Desk(cash=100_000, shorting=True)
    desk.quote(100, 100)
    named = []
    for side, qty, strategy in (
        ("buy", 6, "a"),
        ("buy", 1, "b"),  # a's, too
        ("sell", 1, "b"),  # all a's again, but its figures are b's, too
        ("sell", 4, "a"),
        ("sell", 5, "a"),  # through zero
        ("buy", 3, "a"),
        ("buy", 2, ""),
        ("sell", 2, "a"),  # flat together
    ):
        desk.order(side, qty=qty, strategy_id=strategy)
        desk.quote(100, 100)
        named += [
            (one["action"], one["quantity"], one.get("strategy_id"))
            for one in told(desk, "position")
        ]
    assert named == [
        ("OPENED", "6", "a"),
        ("UPDATED", "7", None),
        ("UPDATED", "6", None),
        ("UPDATED", "2", None),
        ("CLOSED", "7", None),
        ("OPENED", "3", "a"),
        ("CLOSED", "3", "a"),
        ("OPENED", "2", None),
        ("CLOSED", "2", None),
    ]


def test_what_was_opened_has_brought_nothing_yet():
    desk = Desk()
    desk.quote(100, 100)
    desk.order(qty=1)
    desk.quote(100, 100)
    (opened,) = told(desk, "position")
    assert (opened["action"], opened["realized_pnl"]) == ("OPENED", "0")


@pytest.mark.parametrize("shorting", [False, True])
def test_an_accounts_profit_is_told_by_its_parts(shorting):
    desk = Desk(shorting=shorting, commission=Commission({"per_order": "0.5", "percent": "0.1"}))
    desk.quote(100, 100)
    first, second = ("sell", "buy") if shorting else ("buy", "sell")
    desk.order(first, qty=10)
    desk.quote(100, 100)
    desk.order(second, qty=4)
    desk.quote(103, 103)
    (*_, account) = told(desk, "account")
    profit = -12 if shorting else 12
    assert account["realized_pnl"] == str(profit)
    assert account["fees"] == "2.412"
    position = desk.broker.ledger.positions[SYMBOL]
    assert Decimal(account["unrealized_pnl"]) == position.unrealised == profit * 3 // 2
    parts = (Decimal(account[name]) for name in ("realized_pnl", "unrealized_pnl"))
    assert Decimal(account["total_pnl"]) == sum(parts) - Decimal(account["fees"])
