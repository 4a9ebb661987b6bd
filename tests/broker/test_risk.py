"""Limits that refuse orders, by worked examples; each says its rule and its figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Limits
from fastrouter.errors import OrderError
from fastrouter.models.risk import Risk

from .desk import SECOND, Desk, numbers


def limited(strategy="s", desk=None, **config):
    desk = desk or Desk(cash=100_000)
    desk.quote(99, 100)
    desk.took(desk.broker.limit(strategy, Limits.parse(config), desk.now))
    return desk


def breaches(desk):
    return [payload for kind, payload in desk.events if kind == "risk"]


def test_a_strategys_config_has_more_than_limits():
    config = {
        "symbols": ["AAPL"],
        "dataResolution": "1m",
        "realTrading": False,
        "maxPositionValue": 10000,
        "maxOrdersPerMinute": 5,
        "stopLossPercentage": 0.02,
    }
    assert Limits.parse(config) == Limits(Decimal(10000), 5, Decimal("0.02"), False)
    assert Limits.parse({}) == Limits()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"maxPositionValue": 0}, "maxPositionValue is 0; allowed: a number above 0"),
        ({"maxPositionValue": "much"}, "maxPositionValue is 'much'; allowed: a number"),
        ({"maxPositionValue": True}, "maxPositionValue is True; allowed: a number"),
        ({"maxOrdersPerMinute": 1.5}, "maxOrdersPerMinute is 1.5; allowed: a whole number from 0"),
        ({"maxOrdersPerMinute": -1}, "maxOrdersPerMinute is -1; allowed: a whole number from 0"),
        ({"maxOrdersPerMinute": True}, "maxOrdersPerMinute is True"),
        ({"stopLossPercentage": 2}, "stopLossPercentage is 2; allowed: a number above 0, up to 1"),
        ({"realTrading": "yes"}, "realTrading is 'yes'; allowed: true, false"),
    ],
)
def test_limits_that_cannot_be(config, said):
    with pytest.raises(OrderError) as caught:
        Limits.parse(config)
    assert str(caught.value).startswith(said)
    assert caught.value.code == "INVALID_LIMIT"


def test_a_breach_is_a_rejection_and_an_event():
    desk = limited(maxPositionValue=1000)
    desk.events = []
    order = desk.order(qty=11, strategy_id="s")
    reason = "MAX_POSITION_VALUE: the position would be worth 1100; allowed: 1000"
    assert (order.status, order.code, order.reason) == ("rejected", "MAX_POSITION_VALUE", reason)
    assert desk.events[0] == (
        "risk",
        {
            "event": "limit_breached",
            "rule": "maxPositionValue",
            "strategy_id": "s",
            "account_id": "a-1",
            "symbol": "S:AAPL",
            "limit": "1000",
            "value": "1100",
            "message": "the position would be worth 1100; allowed: 1000",
            "severity": "WARNING",
            "recoverable": True,
            "details": {"code": "MAX_POSITION_VALUE"},
        },
    )
    assert desk.kinds() == ["limit_breached", "ORDER_REJECTED"]


def test_a_position_counts_with_its_open_orders():
    desk = limited(maxPositionValue=1000)
    desk.order(qty=4, strategy_id="s")
    desk.quote(99, 100)
    desk.order(qty=4, strategy_id="s", type="limit", limit_price=90)
    assert desk.order(qty=3, strategy_id="s").code == "MAX_POSITION_VALUE"
    assert desk.order(qty=2, strategy_id="s").status == "accepted"
    assert desk.order(qty=500, strategy_id="other").status == "accepted"
    assert desk.order("sell", qty=4, strategy_id="s").status == "accepted"


def test_a_short_has_a_value_too():
    desk = limited(desk=Desk(cash=100_000, shorting=True), maxPositionValue=1000)
    assert desk.order("sell", qty=11, strategy_id="s").code == "MAX_POSITION_VALUE"
    assert desk.order("sell", qty=10, strategy_id="s").status == "accepted"


def test_orders_in_a_minute():
    desk = limited(maxOrdersPerMinute=2)
    first = desk.now
    assert desk.order(qty=1, strategy_id="s").status == "accepted"
    assert desk.order(qty=10_000, strategy_id="s").code == "INSUFFICIENT_BALANCE"
    assert desk.order(qty=1, strategy_id="s").status == "accepted"
    desk.now = first + 60 * SECOND - 1
    refused = desk.order(qty=1, strategy_id="s")
    assert refused.reason == "MAX_ORDERS_PER_MINUTE: 3 orders in a minute; allowed: 2"
    desk.now = first + 60 * SECOND
    assert desk.order(qty=1, strategy_id="s").status == "accepted"


@pytest.mark.parametrize(("real", "code"), [(False, "REAL_TRADING"), (True, None)])
def test_a_strategy_on_a_live_account(real, code):
    desk = limited(desk=Desk(mode="LIVE_TRADING"), realTrading=real)
    assert desk.order(strategy_id="s").code == code
    assert desk.order().code is None


@pytest.mark.parametrize("fall", ["quote", "bar"])
def test_a_stop_loss_closes_the_position_once(fall):
    desk = limited(stopLossPercentage=0.02)
    desk.order(strategy_id="s")
    desk.order(strategy_id="other")
    desk.quote(100, 100)
    rests = desk.order("sell", qty=3, strategy_id="s", type="limit", limit_price=120)
    desk.quote(98.01, 99)
    desk.events = []
    if fall == "quote":
        desk.quote(98, 99)
    else:
        desk.bar(98.5, 99, 97, 98)
    assert desk.kinds() == ["limit_breached", "ORDER_CANCELED", "ORDER_ACCEPTED"]
    assert desk.get(rests).code == "CLOSING"
    (closing,) = desk.broker.open_orders()
    assert (closing.side, closing.qty, closing.code) == ("sell", 10, "STOP_LOSS")
    assert desk.quote(97, 98, bid_size=4) == numbers((4, 97))
    assert desk.quote(96, 97) == numbers((6, 96))
    (position,) = [
        payload
        for kind, payload in desk.events
        if kind == "position" and payload["quantity"] == "10"
    ]
    assert "strategy_id" not in position, "what is left is the other's"
    assert [*desk.broker.ledger.holdings["S:AAPL"]] == ["other"]
    assert breaches(desk) == []


def test_a_stop_loss_of_a_short():
    desk = limited(desk=Desk(shorting=True), stopLossPercentage=0.02)
    desk.order("sell", strategy_id="s")
    desk.quote(100, 100)
    assert desk.quote(100, 101.99) == []
    desk.quote(100, 102)
    assert breaches(desk)[0]["message"] == "the position lost 20; allowed: below 20"
    assert desk.quote(102, 103) == numbers((10, 103))
    assert not desk.broker.ledger.positions


def test_the_days_loss_stops_what_opens_until_the_next_day():
    desk = Desk(cash=10_000, max_daily_loss=Decimal(100))
    desk.quote(100, 100)
    desk.buys(qty=50)
    desk.quote(98.01, 99)
    assert desk.order(qty=1).status == "accepted"
    desk.quote(98, 99)
    refused = desk.order(qty=1)
    assert refused.reason == "MAX_DAILY_LOSS: the day's loss is 101; allowed: below 100"
    assert breaches(desk)[-1]["severity"] == "ERROR"
    assert desk.order("sell", qty=5).status == "accepted"
    desk.now = desk.broker.wakes_at
    assert desk.order(qty=1).status == "accepted"


def test_the_kill_switch():
    desk = Desk()
    desk.quote(100, 100)
    desk.buys(qty=10)
    order = desk.order(qty=5, type="limit", limit_price=90)
    desk.took(desk.broker.kill(desk.now, "too hot"))
    assert desk.kinds() == ["ORDER_ACCEPTED", "limit_breached", "ORDER_CANCELED", "account"]
    assert desk.get(order).reason == "the kill switch is on: too hot"
    refused = desk.order(qty=1)
    assert refused.reason == "KILL_SWITCH: the kill switch is on"
    assert (breaches(desk)[0]["rule"], breaches(desk)[0]["recoverable"]) == ("killSwitch", False)
    assert desk.broker.close_all(desk.now).order.status == "accepted"
    assert desk.quote(99, 100) == numbers((10, 99))
    desk.took(desk.broker.revive(desk.now))
    assert desk.events[-1][1]["status"] == "RUNNING"
    assert desk.order(qty=1).status == "accepted"


def test_a_strategys_loss_is_seen_when_the_account_is_flat():
    desk = limited(desk=Desk(cash=100_000, shorting=True), stopLossPercentage=0.02)
    desk.order("sell", strategy_id="s")
    desk.order("buy", strategy_id="other")
    desk.quote(100, 100)
    assert not desk.broker.ledger.positions
    desk.quote(104, 105)
    assert breaches(desk)[0]["rule"] == "stopLossPercentage"
    assert desk.quote(104, 105) == numbers((10, 105))
    assert [*desk.broker.ledger.holdings["S:AAPL"]] == ["other"]


def test_limits_of_many_digits_are_told_too():
    desk = limited(
        desk=Desk(cash=100_000, collar="0.0" + "123456789" * 6),
        stopLossPercentage="0.0" + "1" * 60,
        maxPositionValue="10000." + "3" * 50,
    )
    desk.order(strategy_id="s", qty="10.123456789")
    desk.quote(99.12345678901234, 100.12345678901234)
    desk.quote(90.12345678901234, 91)
    desk.order(strategy_id="s", qty=100)
    assert [payload["rule"] for payload in breaches(desk)] == [
        "stopLossPercentage",
        "maxPositionValue",
    ]


def test_the_kill_switch_pressed_again_changes_nothing():
    desk = Desk()
    desk.quote(99, 100)
    desk.order(type="limit", limit_price=90)
    desk.took(desk.broker.revive(desk.now))
    assert desk.kinds() == ["ORDER_ACCEPTED"]
    assert desk.took(desk.broker.kill(desk.now)).rows
    assert desk.kinds() == ["limit_breached", "ORDER_CANCELED", "account"]
    again = desk.broker.kill(desk.now, "once more")
    assert (again.rows, again.events) == ((), ())
    desk.took(desk.broker.revive(desk.now))
    assert desk.kinds() == ["status", "account"]
    assert not desk.broker.revive(desk.now)


def test_who_heard_of_the_kill_switch_hears_that_it_is_off():
    desk = Desk()
    desk.quote(99, 100)
    desk.took(desk.broker.kill(desk.now))
    desk.took(desk.broker.revive(desk.now))
    (on, off) = [payload for kind, payload in desk.events if kind == "risk"]
    assert (on["rule"], on["event"], on["severity"]) == ("killSwitch", "limit_breached", "CRITICAL")
    assert off == {
        "event": "status",
        "rule": "killSwitch",
        "account_id": "a-1",
        "limit": "1",
        "value": "0",
        "message": "the kill switch is off",
        "severity": "INFO",
        "recoverable": True,
    }
    assert Risk.model_validate(off).plain() == off
