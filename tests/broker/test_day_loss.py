"""The day's loss reaches its limit by the market: told once a session, whoever restarts."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest

from fastrouter.broker import Limits, restore, snapshot
from fastrouter.core.event import Quote

from .desk import SECOND, SYMBOL, Desk

BTC = "C:BTCUSD"


def holding(qty=50, **more):
    """It may lose less than 100: a price of 98.01, not of 98."""
    desk = Desk(max_daily_loss=Decimal(100), **more)
    desk.quote(100, 100)
    desk.buys(qty=qty)
    return desk


def told(desk):
    found = [(one["rule"], one["value"]) for kind, one in desk.events if kind == "risk"]
    desk.events = []
    return found


@pytest.mark.parametrize("fall", ["quote", "bar"])
def test_it_is_told_when_the_price_takes_it_there(fall):
    desk = holding()
    desk.quote(98.01, 99)
    assert desk.events == []
    if fall == "quote":
        desk.quote(98, 99)
    else:
        desk.bar(98.01, 99, 97, 98)
    ((kind, payload),) = desk.events
    assert (kind, payload) == (
        "risk",
        {
            "event": "limit_breached",
            "rule": "maxDailyLoss",
            "account_id": "a-1",
            "limit": "100",
            "value": "100",
            "message": "the day's loss is 100; allowed: below 100",
            "severity": "ERROR",
            "recoverable": True,
            "details": {"code": "MAX_DAILY_LOSS"},
        },
    )


def test_it_is_told_once_a_session():
    desk = holding()
    desk.quote(97, 99)
    assert told(desk) == [("maxDailyLoss", "150")]
    desk.quote(99.5, 100)
    desk.quote(90, 91)
    assert told(desk) == []
    desk.now = desk.broker.wakes_at
    desk.quote(89, 90)
    assert told(desk) == [], "the day begins with what the first event says"
    desk.quote(87, 88)
    assert told(desk) == [("maxDailyLoss", "150")]


def test_a_restart_does_not_tell_it_again():
    desk = holding()
    desk.quote(97, 99)
    assert told(desk) == [("maxDailyLoss", "150")]
    state = orjson.loads(orjson.dumps(snapshot(desk.broker)))
    desk.broker = restore(state, desk.prices, desk.broker.rules)
    desk.quote(90, 99)
    assert told(desk) == []


def test_a_restart_goes_on_from_what_was_lost():
    desk = holding()
    desk.quote(98.01, 99)
    state = orjson.loads(orjson.dumps(snapshot(desk.broker)))
    desk.broker = restore(state, desk.prices, desk.broker.rules)
    desk.quote(98.01, 99)
    assert told(desk) == []
    desk.quote(98, 99)
    assert told(desk) == [("maxDailyLoss", "100")]


def test_all_positions_count_and_what_was_realised():
    desk = holding()
    desk.quote(100, 100, symbol=BTC)
    desk.took(desk.broker.submit({"symbol": BTC, "side": "buy", "qty": 10}, desk.now))
    desk.quote(100, 100, symbol=BTC)
    desk.quote(96, 97, symbol=BTC)
    desk.order("sell", qty=25)
    desk.quote(99, 100)
    assert told(desk) == [], "40, and 50, of which 25 are realised"
    desk.quote(98.61, 100)
    desk.quote(98.61, 100, symbol=BTC)
    assert told(desk) == []
    desk.quote(96, 97, symbol=BTC)
    assert told(desk) == []
    desk.quote(98.6, 100)
    assert told(desk) == [("maxDailyLoss", "100")]


def test_what_a_fill_costs_counts():
    desk = holding(qty=1)
    desk.quote(98, 100)
    desk.order(qty=49)
    desk.quote(97.96, 100)
    assert told(desk) == [("maxDailyLoss", "102")]


def test_it_comes_before_what_a_stop_loss_orders():
    desk = Desk(max_daily_loss=Decimal(100))
    desk.quote(100, 100)
    desk.took(desk.broker.limit("s", Limits.parse({"stopLossPercentage": 0.02}), desk.now))
    desk.order(qty=50, strategy_id="s")
    desk.quote(100, 100)
    desk.events = []
    desk.quote(98, 99)
    kinds = [(kind, one.get("rule")) for kind, one in desk.events]
    assert kinds[:2] == [("risk", "maxDailyLoss"), ("risk", "stopLossPercentage")]


def test_without_a_limit_nothing_is_told():
    desk = Desk()
    desk.quote(100, 100)
    desk.buys(qty=50)
    desk.quote(1, 2)
    assert desk.events == []


def test_a_quote_that_takes_it_nowhere_changes_nothing():
    desk = holding()
    for bid in (99, 98.5, 99.5, 99.5):
        quote = Quote(SYMBOL, bid=bid, ask=100)
        assert not desk.broker.on_quote(quote, desk.now + SECOND)


def test_where_the_limits_stand_once_they_are_reached():
    desk = holding()
    limits = {"maxPositionValue": 200, "maxOrdersPerMinute": 1, "stopLossPercentage": 0.9}
    desk.took(desk.broker.limit("s", Limits.parse(limits), desk.now))
    desk.order(qty=2, strategy_id="s")
    desk.quote(100, 100)

    def severities():
        return {one["rule"]: one["severity"] for one in desk.broker.risk_status(desk.now)}

    below = dict.fromkeys(("killSwitch", "maxDailyLoss", "stopLossPercentage"), "INFO")
    assert severities() == below | dict.fromkeys(
        ("maxPositionValue", "maxOrdersPerMinute"), "ERROR"
    )
    desk.quote(97, 98)
    desk.took(desk.broker.kill(desk.now + 60 * SECOND))
    desk.now += 60 * SECOND
    assert severities() == {
        "killSwitch": "CRITICAL",
        "maxDailyLoss": "ERROR",
        "maxPositionValue": "INFO",
        "maxOrdersPerMinute": "INFO",
        "stopLossPercentage": "INFO",
    }
