"""Accounts that can be opened, and where their limits stand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Account, Limits
from fastrouter.broker.money import text
from fastrouter.errors import ConfigError
from fastrouter.models import validate

from .desk import Desk


def test_an_account_begins_with_its_cash():
    account = Account.opened("a", 1000.5, currency="EUR")
    assert (account.start, account.cash, account.currency) == (Decimal("1000.5"),) * 2 + ("EUR",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": ""}, "account id is ''; allowed: 1 to 128 bytes"),
        ({"id": "é" * 65}, "allowed: 1 to 128 bytes"),
        ({"cash": -1}, "account cash is -1; allowed: 0 to 10^12"),
        ({"cash": 10**12}, "allowed: 0 to 10^12"),
        ({"cash": "much"}, "account cash: 'much' is no number"),
        ({"cash": float("nan")}, "account cash: nan is not finite"),
        ({"mode": "LIVE"}, "account mode is 'LIVE'; allowed: PAPER_TRADING, LIVE_TRADING"),
        ({"seed": "x"}, "account seed is 'x'; allowed: a UUID"),
    ],
)
def test_an_account_that_cannot_be(fields, said):
    with pytest.raises(ConfigError) as caught:
        Account.opened(**({"id": "a", "cash": 1} | fields))
    assert said in str(caught.value)


def test_where_the_limits_stand():
    desk = Desk(max_daily_loss=Decimal(500))
    desk.quote(100, 100)
    config = {"maxPositionValue": 2000, "maxOrdersPerMinute": 5, "stopLossPercentage": 0.5}
    desk.broker.limit("s", Limits.parse(config), desk.now)
    desk.order(strategy_id="s")
    desk.quote(100, 100)
    desk.quote(97, 98)
    found = desk.broker.risk_status(desk.now)
    for payload in found:
        assert list(validate("risk", payload).items()) == list(payload.items())
        assert (payload["event"], payload["severity"]) == ("status", "INFO")
    assert [(one["rule"], one.get("strategy_id"), one["value"], one["limit"]) for one in found] == [
        ("killSwitch", None, "0", "1"),
        ("maxDailyLoss", None, "30", "500"),
        ("maxPositionValue", "s", "970", "2000"),
        ("maxOrdersPerMinute", "s", "1", "5"),
        ("stopLossPercentage", "s", "0.03", "0.5"),
    ]
    desk.broker.kill(desk.now)
    assert desk.broker.risk_status(desk.now)[0]["message"] == "on"


def test_what_is_available_is_in_no_order():
    desk = Desk()
    desk.quote(100, 100)
    desk.order(qty=10, strategy_id="s")
    desk.order(qty=5)
    desk.quote(100, 100)
    desk.order("sell", qty=4, strategy_id="s", type="limit", limit_price=120)
    assert desk.broker.available("AAPL") == 5
    assert desk.broker.available("AAPL", "s") == 6
    assert desk.broker.available("AAPL", "other") == 0
    assert desk.broker.available("BTCUSD") == 0


def test_what_is_available_of_a_short():
    desk = Desk(shorting=True)
    desk.quote(100, 100)
    desk.order("sell", qty=10)
    desk.quote(100, 100)
    desk.order("buy", qty=4, type="limit", limit_price=90)
    assert desk.broker.available("AAPL") == -6


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_events_of_a_fill_have_the_figures_of_its_instant(side):
    desk = Desk(shorting=True)
    desk.quote(99, 101)
    desk.order(side)
    desk.quote(99, 101)
    told = dict(desk.events)
    position = desk.broker.ledger.positions["S:AAPL"]
    assert told["account"]["equity"] == text(desk.broker.equity) == "9980"
    assert told["account"]["buying_power"] == text(desk.broker.buying_power)
    assert told["position"]["current_price"] == text(position.mark)
    assert told["position"]["unrealized_pnl"] == text(position.unrealised) == "-20"
    desk.order(side)
    assert desk.bar(100, 104, 96, 103) != []
    assert dict(desk.events)["account"]["equity"] == text(desk.broker.equity)
