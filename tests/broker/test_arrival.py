"""Orders that are met by the last quote as they are accepted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Limits, restore, snapshot

from .desk import SYMBOL, Desk, fills, numbers


@pytest.fixture
def desk() -> Desk:
    return Desk(cash=100_000, at_once=True)


FILLED = ["ORDER_ACCEPTED", "ORDER_FILLED", "trade", "position", "account"]


def test_a_market_order_is_filled_by_the_quote_that_stands(desk):
    desk.quote(100, 101)
    order = desk.order()
    assert (order.status, order.filled_avg_price) == ("filled", 101)
    assert desk.kinds() == FILLED
    assert desk.broker.ledger.positions[SYMBOL].mark == 100


@pytest.mark.parametrize(
    ("fields", "status", "price"),
    [
        ({"type": "limit", "limit_price": 102}, "filled", 101),
        ({"type": "limit", "limit_price": 100}, "new", None),
        ({"type": "limit", "limit_price": 100, "time_in_force": "ioc"}, "canceled", None),
        ({"type": "limit", "limit_price": 100, "time_in_force": "fok"}, "canceled", None),
        ({"type": "stop", "stop_price": 101}, "filled", 101),
        ({"type": "stop", "stop_price": 102}, "new", None),
        ({"type": "stop", "stop_price": 102, "time_in_force": "ioc"}, "new", None),
        ({"type": "stop_limit", "stop_price": 101, "limit_price": 100}, "new", None),
        ({"notional": 202}, "filled", 101),
        ({"qty": 11, "time_in_force": "fok"}, "canceled", None),
        ({"qty": 11, "time_in_force": "ioc"}, "canceled", 101),
        ({"qty": 11}, "partially_filled", 101),
    ],
)
def test_every_sort_is_met_as_by_an_event(desk, fields, status, price):
    desk.quote(100, 101, ask_size=10)
    order = desk.order(**fields)
    assert (order.status, order.filled_avg_price) == (status, price)


def test_what_one_order_had_of_a_quote_no_other_has(desk):
    desk.quote(100, 101, bid_size=4, ask_size=10)
    assert desk.order(qty=7).status == "filled"
    part = desk.order(qty=7)
    assert (part.status, part.filled_qty) == ("partially_filled", 3)
    late = desk.order(qty=1, time_in_force="ioc")
    assert (late.status, late.code) == ("canceled", "TIME_IN_FORCE")
    assert desk.order("sell", qty=5, time_in_force="ioc").filled_qty == 4
    assert desk.quote(100, 102, ask_size=10) == numbers((4, 102))
    assert desk.order(qty=9).filled_qty == 6


def test_a_quote_is_shared_even_when_nothing_is_left_of_position_and_orders(desk):
    desk.quote(100, 101, bid_size=10, ask_size=10)
    desk.order(qty=10)
    desk.order("sell", qty=10)
    assert desk.broker.books == {}
    assert desk.order(qty=10, time_in_force="ioc").filled_qty == 0


def test_a_resting_order_has_its_part_first(desk):
    desk.quote(100, 105)
    desk.order(qty=6, type="limit", limit_price=101)
    desk.quote(100, 101, ask_size=10)
    assert desk.order(qty=9).filled_qty == 4


def test_a_size_that_is_not_known_fills_all(desk):
    desk.quote(100, 101)
    assert [desk.order(qty=400).status for _ in range(2)] == ["filled"] * 2


def test_without_that_side_or_after_a_bar_it_waits(desk):
    desk.quote(100, 0)
    assert desk.order().status == "accepted"
    assert desk.quote(100, 103) == numbers((10, 103))
    desk.bar(100, 104, 99, 102)
    assert desk.order(qty=1).status == "accepted"
    assert desk.bar(103, 104, 99, 102) == numbers((1, 103))


def test_a_replacement_is_met(desk):
    desk.quote(100, 101)
    order = desk.order(type="limit", limit_price=99)
    change = desk.took(desk.broker.replace(order.id, {"limit_price": 101}, desk.now))
    assert change.order.status == "filled"
    assert desk.get(order).status == "replaced"


def test_a_position_is_closed_at_once(desk):
    desk.quote(100, 101, bid_size=7)
    desk.order(qty=5, strategy_id="a")
    desk.order(qty=5, strategy_id="b")
    change = desk.took(desk.broker.close_position("AAPL", desk.now))
    assert fills(change) == numbers((5, 100), (2, 100))
    assert [order.status for order in change.orders] == ["filled", "partially_filled"]
    desk.quote(90, 91)
    assert desk.broker.ledger.positions == {}


def test_a_part_is_closed_at_once(desk):
    desk.quote(100, 101)
    desk.order(qty=5)
    assert fills(desk.broker.close_position("AAPL", desk.now, qty=2)) == numbers((2, 100))


def test_a_stop_loss_closes_by_the_quote_that_brings_it_about(desk):
    desk.broker.limit("a", Limits.parse({"stopLossPercentage": 0.02}), 0)
    desk.quote(100, 100)
    desk.order(strategy_id="a")
    assert desk.quote(97, 98, bid_size=8) == numbers((8, 97))
    assert desk.quote(95, 96, bid_size=8) == numbers((2, 95))
    first = ["limit_breached", "ORDER_ACCEPTED", "ORDER_PARTIALLY_FILLED", "trade", "position"]
    assert desk.kinds()[5:10] == first
    assert desk.broker.ledger.positions == {}


def test_a_stop_loss_that_the_spread_brings_about_is_nobodys_order(desk):
    desk.broker.limit("a", Limits.parse({"stopLossPercentage": 0.02}), 0)
    desk.quote(90, 100)
    order = desk.order(strategy_id="a")  # the change has one that was asked for
    assert order.status == "filled"
    assert desk.broker.ledger.account.cash == 100_000 - 100


def test_who_takes_over_knows_what_is_gone(desk):
    desk.quote(100, 101, ask_size=10)
    desk.order(qty=8)
    broker = restore(snapshot(desk.broker), desk.prices, desk.broker.rules)
    broker.succeed(desk.broker)
    fields = {"symbol": "AAPL", "side": "buy", "qty": 8}
    assert broker.submit(fields, desk.now).order.filled_qty == Decimal(2)
