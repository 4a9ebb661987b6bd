"""What events tell of positions and the account beside what their orders do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Commission

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
