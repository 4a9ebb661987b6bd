"""What a broker answers: acceptance, idempotence, replacing, closing, sessions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from fastrouter.broker import NOTHING, Account, Broker, Commission, Prices, Rules, restore, snapshot
from fastrouter.broker.rules import DAY
from fastrouter.core.event import Quote
from fastrouter.errors import ConfigError, OrderError

from .desk import SECOND, SYMBOL, Desk, numbers

LIMIT = {"type": "limit", "limit_price": 90}


def refusal(code):
    return pytest.raises(OrderError, match="") if code is None else _Coded(code)


class _Coded:
    """An OrderError of that code is raised."""

    def __init__(self, code):
        self.code = code

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert isinstance(error, OrderError), "nothing was raised"
        assert error.code == self.code
        self.said = str(error)
        return True


@pytest.fixture
def desk():
    made = Desk()
    made.quote(99, 100)
    return made


# ------------------------------------------------------------------ acceptance


def test_an_order_from_its_submission_to_its_end(desk):
    order = desk.order(time_in_force="gtc", strategy_id="s-1", client_order_id="mine")
    assert (order.symbol, order.status, order.client_order_id) == (SYMBOL, "accepted", "mine")
    assert desk.kinds() == ["ORDER_ACCEPTED"]
    desk.quote(99, 101, ask_size=4)
    assert desk.get(order).status == "partially_filled"
    assert desk.kinds() == ["ORDER_PARTIALLY_FILLED", "trade", "position", "account"]
    desk.quote(99, 102)
    done = desk.get(order)
    assert (done.status, done.filled_qty, done.filled_at) == ("filled", 10, desk.now)
    assert done.filled_avg_price == Decimal("101.6")
    assert desk.broker.equity == 10_000 - 26


def test_an_order_that_only_rests_is_stored_but_not_announced(desk):
    order = desk.order(**LIMIT)
    change = desk.broker.on_quote(Quote(SYMBOL, bid=99, ask=100), desk.now + 1)
    assert [row.values["status"] for row in change.rows] == ["new"]
    assert change.events == ()
    assert desk.get(order).status == "new"
    assert not desk.broker.on_quote(Quote(SYMBOL, bid=99, ask=100), desk.now + 2)


def test_what_nobody_trades_costs_nothing(desk):
    assert desk.broker.on_quote(Quote(SYMBOL, bid=1, ask=2), 5) is NOTHING
    assert not desk.broker.books
    order = desk.order(**LIMIT)
    assert list(desk.broker.books) == [SYMBOL]
    desk.broker.cancel(order.id, desk.now)
    assert not desk.broker.books


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"qty": 101}, "INSUFFICIENT_BALANCE: 10100 needed, 10000 available"),
        ({"qty": 112, **LIMIT}, "INSUFFICIENT_BALANCE: 10080 needed, 10000 available"),
        ({"notional": 10_001}, "INSUFFICIENT_BALANCE: 10001 needed, 10000 available"),
        ({"side": "sell"}, "INSUFFICIENT_QUANTITY: 10 of S:AAPL asked, 0 available"),
        ({"symbol": "BTCUSD"}, "no price of C:BTCUSD is known yet"),
    ],
)
def test_what_cannot_be_paid_or_delivered_is_rejected_with_its_figures(desk, fields, reason):
    order = desk.order(**fields)
    assert (order.status, order.reason) == ("rejected", reason)
    assert desk.kinds() == ["ORDER_REJECTED"]
    assert desk.broker.open_orders() == []
    assert desk.broker.buying_power == 10_000


def test_open_orders_hold_buying_power_until_they_end(desk):
    first = desk.order(qty=100, **LIMIT)
    assert desk.broker.buying_power == 1000
    assert desk.order(qty=11).reason == "INSUFFICIENT_BALANCE: 1100 needed, 1000 available"
    assert desk.order(qty=10).status == "accepted"
    desk.broker.cancel(first.id, desk.now)
    assert desk.broker.buying_power == 9000


def test_commission_and_collar_are_held_too():
    desk = Desk(commission=Commission({"per_order": 7, "percent": 1}), collar=Decimal("0.02"))
    desk.quote(99, 100)
    desk.order(qty=10)
    assert desk.broker.buying_power == Decimal("10000") - 1020 - 7 - Decimal("10.2")


def test_a_fill_that_has_become_too_dear_is_canceled(desk):
    order = desk.order(qty=100)
    assert desk.quote(100, 101) == []
    order = desk.get(order)
    assert (order.status, order.code) == ("canceled", "INSUFFICIENT_BALANCE")
    assert order.reason == "10100 is 100 more than the buying power there is"
    assert desk.broker.buying_power == 10_000


def test_what_is_in_an_open_order_cannot_be_sold_again(desk):
    desk.buys(qty=10)
    desk.order("sell", qty=7, type="limit", limit_price=110)
    order = desk.order("sell", qty=4)
    assert order.reason == "INSUFFICIENT_QUANTITY: 4 of S:AAPL asked, 3 available"
    assert desk.order("sell", qty=3).status == "accepted"


def test_who_sells_what_a_strategy_holds_is_told_where_it_is(desk):
    desk.order(strategy_id="a")
    desk.quote(99, 100)
    assert desk.order("sell", qty=1).reason == (
        "INSUFFICIENT_QUANTITY: 1 of S:AAPL asked, 0 available; "
        "strategies hold 10, which DELETE /v2/positions/S:AAPL closes"
    )
    other = desk.order("sell", qty=1, strategy_id="b").reason
    assert other == "INSUFFICIENT_QUANTITY: 1 of S:AAPL asked, 0 available"


def test_a_strategy_sells_what_is_its_own(desk):
    desk.order(strategy_id="a")
    desk.quote(99, 100)
    assert desk.order("sell", strategy_id="b").code == "INSUFFICIENT_QUANTITY"
    assert desk.order("sell", strategy_id="a").status == "accepted"


def test_a_short_needs_its_value_once_more():
    desk = Desk(shorting=True)
    desk.quote(100, 101)
    assert desk.order("sell", qty=101).code == "INSUFFICIENT_BALANCE"
    desk.order("sell", qty=60)
    assert desk.quote(100, 101) == numbers((60, 100))
    assert desk.broker.ledger.account.cash == 16_000
    assert desk.broker.buying_power == 3880  # the ask is 101
    desk.quote(119, 120)  # 1200 lost
    assert desk.broker.buying_power == 1600
    assert desk.broker.equity == 8800
    desk.quote(79, 80)  # a gain that is not realised buys nothing
    assert desk.broker.buying_power == 4000
    desk.order("buy", qty=100)
    assert desk.quote(79, 80) == numbers((100, 80))
    assert desk.kinds()[-5:] == ["ORDER_FILLED", "trade", "position", "position", "account"]
    position = desk.broker.ledger.positions[SYMBOL]
    assert (position.qty, position.average_price) == (40, 80)
    assert desk.broker.ledger.account.realised == 1200


def test_a_closed_position_tells_what_it_gained(desk):
    desk.buys(qty=10, price=100)
    desk.order("sell", qty=4)
    desk.quote(110, 111)
    desk.order("sell", qty=6)
    desk.events = []
    desk.quote(120, 121)
    (position,) = [payload for kind, payload in desk.events if kind == "position"]
    assert (position["action"], position["quantity"], position["pnl"]) == ("CLOSED", "10", "160")
    assert (position["entry_price"], position["exit_price"]) == ("100", "116")
    assert position["pnl_pct"] == "16"


# ------------------------------------------------------------------ idempotence


def test_the_same_order_twice_is_one_order(desk):
    first = desk.order(client_order_id="c-1", qty="10.0", symbol="AAPL")
    change = desk.broker.submit(
        {"client_order_id": "c-1", "qty": 10, "side": "BUY", "symbol": "S:AAPL"}, desk.now + 5
    )
    assert not change
    assert change.order == first
    desk.quote(99, 100)
    assert desk.order(client_order_id="c-1").status == "filled"
    assert len(list(desk.broker.orders)) == 1


def test_another_order_by_the_same_name_is_refused(desk):
    order = desk.order(client_order_id="c-1")
    with refusal("DUPLICATE") as refused:
        desk.order(client_order_id="c-1", qty=11)
    assert refused.said == f"client_order_id c-1 is that of order {order.id}, which was another"
    with refusal("DUPLICATE"):
        desk.broker.replace(order.id, {"client_order_id": "c-1"}, desk.now)


def test_a_rejected_order_stays_rejected_when_asked_again(desk):
    first = desk.order(client_order_id="c-1", qty=101)
    assert desk.order(client_order_id="c-1", qty=101) == first


def test_ended_orders_are_forgotten_beyond_a_number_and_a_minute():
    desk = Desk(remember=2)
    desk.quote(99, 100)
    kept = desk.order(client_order_id="open", **LIMIT)
    ended = [desk.order(client_order_id=f"c-{i}", qty=10_000) for i in range(5)]
    desk.broker.on_clock(desk.now)
    assert len(list(desk.broker.orders)) == 6
    desk.broker.on_clock(desk.now + 61 * SECOND)
    assert [one.id for one in desk.broker.orders] == [ended[3].id, ended[4].id, kept.id]
    assert desk.broker.orders.of_client("c-0") is None
    with refusal("ORDER_NOT_FOUND"):
        desk.broker.orders.get(ended[0].id)


# ------------------------------------------------------------------ changes


def test_a_replacement_is_an_order_at_the_end_of_the_queue(desk):
    old = desk.order(qty=10, **LIMIT)
    desk.quote(80, 89, ask_size=4)
    change = desk.took(desk.broker.replace(old.id, {"limit_price": 95}, desk.now))
    new, old = change.order, desk.get(old)
    assert (old.status, old.replaced_by, old.filled_qty) == ("replaced", new.id, 4)
    assert (new.status, new.replaces, new.qty, new.limit_price) == ("accepted", old.id, 6, 95)
    assert desk.kinds()[-2:] == ["ORDER_REPLACED", "ORDER_ACCEPTED"]
    assert desk.quote(93, 94) == numbers((6, 94))


def test_a_replacement_that_is_refused_changes_nothing(desk):
    old = desk.order(qty=100, **LIMIT)
    order = desk.broker.replace(old.id, {"qty": 112}, desk.now).order
    assert order.reason == "INSUFFICIENT_BALANCE: 10080 needed, 10000 available"
    assert desk.get(old).status == "accepted"
    assert desk.broker.buying_power == 1000


def test_a_replacement_is_one_by_its_name(desk):
    old = desk.order(**LIMIT)
    fields = {"qty": 5, "client_order_id": "r-1"}
    first = desk.broker.replace(old.id, fields, desk.now).order
    again = desk.broker.replace(old.id, fields, desk.now)
    assert not again
    assert again.order == first


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"side": "sell"}, "INVALID_ORDER"),
        ({"stop_price": 5}, "INVALID_ORDER"),
        ({"qty": 0}, "INVALID_ORDER"),
        ({"limit_price": "x"}, "INVALID_ORDER"),
    ],
)
def test_what_cannot_be_replaced(desk, fields, code):
    order = desk.order(**LIMIT)
    with refusal(code):
        desk.broker.replace(order.id, fields, desk.now)
    assert desk.get(order).status == "accepted"


@pytest.mark.parametrize("action", ["cancel", "replace"])
def test_what_is_not_open_cannot_be_changed(desk, action):
    order = desk.order()
    arguments = ({"qty": 1}, desk.now) if action == "replace" else (desk.now,)
    with refusal("ORDER_NOT_FOUND"):
        getattr(desk.broker, action)("nope", *arguments)
    desk.quote(99, 100)
    with refusal("ORDER_NOT_OPEN") as refused:
        getattr(desk.broker, action)(order.id, *arguments)
    assert refused.said == f"order {order.id} is filled"


def test_canceling_one_some_and_all(desk):
    orders = [desk.order(qty=1, strategy_id=one, **LIMIT) for one in ("a", "b", "b", "")]
    assert desk.took(desk.broker.cancel(orders[0].id, desk.now)).order.status == "canceled"
    change = desk.broker.cancel_all(desk.now, strategy_id="b")
    assert [one.id for one in change.orders] == [orders[1].id, orders[2].id]
    assert not desk.broker.cancel_all(desk.now, symbol="BTCUSD")
    assert len(desk.broker.cancel_all(desk.now, symbol="AAPL").orders) == 1
    assert desk.broker.open_orders() == []


def test_closing_a_position_cancels_what_holds_it(desk):
    desk.buys(qty=10)
    held = desk.order("sell", qty=7, type="limit", limit_price=110)
    change = desk.took(desk.broker.close_position("AAPL", desk.now))
    assert desk.get(held).code == "CLOSING"
    assert (change.order.side, change.order.qty, change.order.type) == ("sell", 10, "market")
    assert desk.quote(98, 99) == numbers((10, 98))
    assert not desk.broker.ledger.positions
    with refusal("POSITION_NOT_FOUND"):
        desk.broker.close_position("AAPL", desk.now)


def test_closing_all_closes_each_strategys_own(desk):
    desk.quote(10, 11, symbol="C:BTCUSD")
    desk.order(qty=5, strategy_id="a")
    desk.order(qty=3, strategy_id="b")
    desk.order(qty=2, strategy_id="b", symbol="C:BTCUSD")
    desk.quote(99, 100)
    desk.quote(10, 11, symbol="C:BTCUSD")
    assert [one.qty for one in desk.broker.close_all(desk.now, strategy_id="a").orders] == [5]
    assert [one.qty for one in desk.broker.close_all(desk.now).orders] == [2, 5, 3]
    desk.quote(99, 100)
    desk.quote(10, 11, symbol="C:BTCUSD")
    assert not desk.broker.ledger.holdings
    assert not desk.broker.books


# ------------------------------------------------------------------ sessions


@pytest.mark.parametrize("by", ["clock", "quote"])
def test_day_orders_expire_when_the_session_ends(by):
    end = 3600 * SECOND
    desk = Desk(session_end=end)
    desk.now = end - 10 * SECOND
    desk.quote(99, 100)
    day, gtc = desk.order(**LIMIT), desk.order(time_in_force="gtc", **LIMIT)
    assert desk.broker.wakes_at == end
    assert not desk.broker.on_clock(end - 1).events
    assert desk.quote(99, 100, now=end - 1) == []
    if by == "clock":
        desk.took(desk.broker.on_clock(end))
    else:
        assert desk.quote(80, 80, now=end) == numbers((10, 90))
    assert (desk.get(day).status, desk.get(day).expired_at) == ("expired", end)
    assert desk.get(gtc).status == ("new" if by == "clock" else "filled")
    assert desk.broker.wakes_at == end + DAY


def test_day_orders_of_a_silent_symbol_expire_though_others_began_a_new_session():
    end = 3600 * SECOND
    desk = Desk(session_end=end)
    desk.now = end - 10 * SECOND
    desk.quote(99, 100)
    silent = desk.order(**LIMIT)
    desk.took(desk.broker.submit(LIMIT | {"symbol": "C:BTCUSD", "side": "buy", "qty": 1}, desk.now))
    assert desk.quote(10, 11, symbol="C:BTCUSD", now=end) == []
    assert desk.broker.ledger.account.day_end == end + DAY
    assert desk.get(silent).is_open
    assert desk.broker.wakes_at == end
    desk.took(desk.broker.on_clock(end))
    assert desk.get(silent).status == "expired"
    assert desk.broker.ledger.reserved == 0
    assert desk.broker.wakes_at == end + DAY


def test_an_order_after_the_sessions_end_is_of_the_next_one(desk):
    desk.now = DAY
    assert desk.order(**LIMIT).expires_at == 2 * DAY


# ------------------------------------------------------------------ the rest


def test_same_input_same_output():
    def run():
        desk = Desk()
        desk.quote(99, 100)
        desk.order()
        desk.quote(99, 101)
        desk.broker.close_all(desk.now)
        desk.quote(98, 101)
        return desk.events, desk.broker.ledger.account

    assert run() == run()


def test_another_seed_makes_other_ids():
    seeds = ("12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345679")
    ids = set()
    for seed in seeds:
        market = Prices([SYMBOL])
        broker = Broker(Account.opened("a", "100.5", seed=seed), market)
        order = broker.submit({"symbol": "AAPL", "side": "buy", "qty": 1, **LIMIT}, 5).order
        ids.add(order.id)
    assert len(ids) == 2


@pytest.mark.parametrize(
    "rules",
    [
        {"participation": Decimal(0)},
        {"participation": Decimal("1.1")},
        {"session_end": DAY},
        {"session_end": -1},
        {"collar": Decimal(2)},
        {"max_daily_loss": Decimal(0)},
        {"remember": -1},
    ],
)
def test_rules_that_cannot_be(rules):
    with pytest.raises(ConfigError, match=f"broker: allowed for {next(iter(rules))}: "):
        Rules(**rules)


def test_what_strategies_hold_against_each_other_is_closed_without_a_price():
    """Together they hold nothing; after a restart nobody has quoted the symbol yet."""
    desk = Desk(shorting=True)
    desk.quote(100, 100)
    desk.order(strategy_id="long")
    desk.order("sell", strategy_id="short")
    desk.quote(100, 100)
    assert not desk.broker.ledger.positions
    desk.prices = Prices([SYMBOL])
    desk.broker = restore(snapshot(desk.broker), desk.prices, desk.broker.rules)
    closing = desk.took(desk.broker.close_all(desk.now)).orders
    assert [(one.strategy_id, one.side, one.hold_price) for one in closing] == [
        ("long", "sell", 100),
        ("short", "buy", 100),
    ]
    assert desk.quote(99, 101) == numbers((10, 99), (10, 101))


def test_closing_a_part_leaves_what_is_in_orders(desk):
    desk.order(qty=6, strategy_id="a")
    desk.order(qty=5, strategy_id="b")
    desk.quote(99, 100)
    held = desk.order("sell", qty=2, strategy_id="a", type="limit", limit_price=120)
    change = desk.took(desk.broker.close_position("AAPL", desk.now, qty="5.5"))
    assert [(one.strategy_id, one.qty) for one in change.orders] == [
        ("a", 4),
        ("b", Decimal("1.5")),
    ]
    assert desk.get(held).is_open
    with refusal("INSUFFICIENT_QUANTITY") as refused:
        desk.broker.close_position("AAPL", desk.now, qty=4)
    assert refused.said == "4 of S:AAPL asked, 3.5 available"
    assert desk.quote(99, 100) == numbers((4, 99), (1.5, 99))
    with refusal("INVALID_ORDER"):
        desk.broker.close_position("AAPL", desk.now, qty=0)


@pytest.mark.parametrize("action", ["close_position", "available"])
def test_a_symbol_that_is_unknown(desk, action):
    with refusal("UNKNOWN_SYMBOL"):
        getattr(desk.broker, action)("MSFT", "s" if action == "available" else desk.now)
    with refusal("UNKNOWN_SYMBOL"):
        desk.broker.cancel_all(desk.now, symbol="MSFT")
    with refusal("UNKNOWN_SYMBOL"):
        desk.order(symbol="MSFT")


def test_rules_take_the_numbers_of_a_config():
    rules = Rules(participation="0.5", collar=0.02, max_daily_loss=100)
    assert (rules.participation, rules.collar) == (Decimal("0.5"), Decimal("0.02"))
    assert rules.max_daily_loss == Decimal(100)
    with pytest.raises(ConfigError, match="broker: collar: 'x' is no number"):
        Rules(collar="x")


def test_the_largest_and_the_smallest_lose_no_digit():
    desk = Desk(cash=999_999_999_999, commission=Commission({"percent": "0.333333"}))
    desk.quote(1e-15, 1e-15)
    desk.order(qty="999999999999.999999999")
    desk.order(qty="0.000000001")
    desk.quote(1e-15, 1.1e-14)
    desk.quote(999_999_999_999.9, 999_999_999_999.9)
    desk.order("sell", qty="999999999999.999999998")
    desk.quote(999_999_999_999.9, 999_999_999_999.9)
    account, ledger = desk.broker.ledger.account, desk.broker.ledger
    (position,) = ledger.positions.values()
    left = Fraction(account.cash) + Fraction(position.cost) + Fraction(account.fees)
    assert left == Fraction(account.start) + Fraction(account.realised)
    assert position.qty == Decimal("0.000000002")
    assert account.cash > 10**23


def test_before_1970_days_end_too():
    desk = Desk()
    desk.now = -DAY
    desk.quote(99, 100)
    order = desk.order(**LIMIT)
    assert order.expires_at == 0
    assert desk.quote(80, 80, now=0) == []
    assert desk.get(order).status == "expired"


#: an order of the day, the day's last bar, where ten of it are filled
LAST_BARS = [
    ({}, (100, 103, 98, 101), 100),
    ({"type": "limit", "limit_price": 99}, (100, 103, 98, 101), 99),
    ({"type": "limit", "limit_price": 97}, (100, 103, 98, 101), None),
    ({"type": "stop", "stop_price": 102}, (100, 103, 98, 101), 102),
]


@pytest.mark.parametrize(("fields", "bar", "filled"), LAST_BARS)
def test_the_bar_that_ends_with_the_session_comes_before_the_expiry(fields, bar, filled):
    desk = Desk()
    desk.now = DAY - 60 * SECOND
    desk.quote(99, 100, now=desk.now)
    order = desk.order(time_in_force="day", **fields)
    desk.now = DAY - SECOND
    found = desk.bar(*bar, time=DAY - 60 * SECOND)
    assert desk.now == DAY
    assert found == ([] if filled is None else numbers((10, filled)))
    assert desk.get(order).status == ("expired" if filled is None else "filled")


def test_what_the_last_bar_leaves_expires():
    desk = Desk(participation=Decimal("0.5"))
    desk.now = DAY - SECOND
    desk.quote(99, 100, now=desk.now)
    order = desk.order(time_in_force="day")
    assert desk.bar(100, 103, 98, 101, volume=8) == numbers((4, 100))
    assert (desk.get(order).status, desk.get(order).filled_qty) == ("expired", 4)
    assert desk.kinds()[-1] == "ORDER_EXPIRED"


@pytest.mark.parametrize("late", [1, SECOND])
def test_a_bar_that_is_told_after_the_session_comes_too_late(late):
    desk = Desk()
    desk.now = DAY - 60 * SECOND
    desk.quote(99, 100, now=desk.now)
    order = desk.order(time_in_force="day")
    desk.now = DAY - SECOND + late
    assert desk.bar(100, 103, 98, 101, time=DAY - 60 * SECOND) == []
    assert desk.get(order).status == "expired"
