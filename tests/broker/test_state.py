"""A broker from its snapshot, and from the rows that its changes had."""

from __future__ import annotations

import orjson
import pytest

from fastrouter.broker import Commission, Limits, Rules, restore, snapshot
from fastrouter.core.event import Quote

from .desk import SECOND, SYMBOL, Desk, numbers


def busy():
    desk = Desk(cash=100_000, commission=Commission({"per_order": 1}))
    desk.quote(99, 100)
    desk.broker.limit("s", Limits.parse({"maxOrdersPerMinute": 3}), desk.now)
    desk.order(strategy_id="s")
    desk.order(qty=10_000)
    desk.quote(99, 101, ask_size=4)
    desk.order("sell", qty=2, strategy_id="s", type="limit", limit_price=102)
    desk.order(qty=3, strategy_id="s", type="stop", stop_price=103)
    return desk


def again(desk):
    """The desk with a broker of its broker's snapshot, through JSON."""
    state = orjson.loads(orjson.dumps(snapshot(desk.broker)))
    desk.broker = restore(state, desk.prices, desk.broker.rules)
    assert snapshot(desk.broker) == state
    return desk


def test_a_restored_broker_goes_on_as_the_one_before():
    first, second = busy(), again(busy())
    for desk in (first, second):
        desk.events = []
        assert desk.order(qty=1, strategy_id="s").code == "MAX_ORDERS_PER_MINUTE"
        assert desk.quote(102, 103) == numbers((2, 102), (6, 103), (3, 103))
        desk.broker.close_all(desk.now)
        desk.quote(100, 101)
    assert first.events == second.events
    assert snapshot(first.broker) == snapshot(second.broker)


def test_nothing_of_the_instant_before_the_snapshot_fills():
    desk = again(busy())
    desk.order(qty=1)
    assert desk.quote(99, 100, now=desk.now) == numbers((6, 100))
    assert desk.quote(99, 100) == numbers((1, 100))


def test_an_empty_broker_is_restored_too():
    desk = again(Desk())
    assert not desk.broker.books
    desk.quote(100, 100)
    desk.buys()


def test_a_position_without_orders_is_still_watched():
    desk = Desk()
    desk.quote(100, 100)
    desk.buys()
    desk = again(desk)
    assert list(desk.broker.books) == [SYMBOL]
    desk.quote(110, 111)
    assert desk.broker.equity == 10_100


def test_a_name_is_that_of_the_last_order_that_has_it():
    """The first had been forgotten, but the store, which has them all, told of both."""
    desk = Desk(remember=0)
    desk.quote(100, 100)
    fields = {"type": "limit", "limit_price": 1, "time_in_force": "gtc", "client_order_id": "x"}
    first = desk.order(**fields)
    desk.now += 100 * SECOND
    desk.broker.cancel(first.id, desk.now)
    orders = snapshot(desk.broker)["orders"]
    desk.broker.cancel_all(desk.now)  # whatever comes next forgets it
    second = desk.order(**fields)
    state = snapshot(desk.broker)
    desk.broker = restore(state | {"orders": orders | state["orders"]}, desk.prices, Rules())
    assert desk.order(**fields).id == second.id
    assert len(list(desk.broker.orders)) == 2


def test_who_forgets_an_order_leaves_the_name_to_a_later_one():
    desk = Desk(remember=0)
    desk.quote(100, 100)
    fields = {"type": "limit", "limit_price": 1, "time_in_force": "gtc", "client_order_id": "x"}
    orders = {}
    for _ in range(2):
        order = desk.order(**fields)
        desk.now += 100 * SECOND
        desk.broker.cancel(order.id, desk.now)
        orders |= snapshot(desk.broker)["orders"]
        desk.broker.cancel_all(desk.now)
    state = snapshot(desk.broker) | {"orders": orders}
    desk.broker = restore(state, desk.prices, Rules(remember=0))
    assert desk.broker.orders.of_client("x").number == 2
    desk.order()
    assert desk.broker.orders.of_client("x") is None


def test_a_change_is_the_rows_of_one_transaction():
    desk = busy()
    change = desk.took(desk.broker.close_all(desk.now))
    tables = [row.table for row in change.rows]
    assert sorted(set(tables)) == ["account", "orders"]
    assert len({(row.table, row.key) for row in change.rows}) == len(change.rows)
    orjson.dumps([row.values for row in change.rows])


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"account": {}},
        {"account": {"a": {"id": "a"}}},
        {"account": {"a": {"id": "a", "start": "1", "cash": "1", "colour": "red"}}},
        {"account": {"a": {"id": "a", "start": "1", "cash": "much"}}},
    ],
)
def test_what_is_no_state_is_refused(state):
    with pytest.raises((KeyError, TypeError, ValueError)):
        restore(state, Desk().prices, Rules())


def test_the_rows_of_all_changes_make_a_broker():
    """As a store has them that was told of every change, and of nothing else."""
    desk = Desk(cash=100_000)
    tables = {name: {} for name in ("account", "orders", "positions", "holdings", "limits")}
    took = desk.took

    def stored(change):
        for row in change.rows:
            table = tables.setdefault(row.table, {})
            if row.values is None:
                del table[row.key]
            else:
                table[row.key] = orjson.loads(orjson.dumps(row.values))
        return took(change)

    desk.took = stored
    desk.quote(99, 100)
    desk.order(strategy_id="s")
    desk.order(qty=3)
    desk.quote(99, 101, ask_size=11)
    desk.order("sell", qty=2, strategy_id="s", type="limit", limit_price=102)
    assert len(tables["trades"]) == 2
    restored = restore(tables, desk.prices, desk.broker.rules)
    assert restored.buying_power == desk.broker.buying_power
    desk.broker, before = restored, desk.broker
    quote = Quote(SYMBOL, bid=102, ask=103)
    assert before.on_quote(quote, desk.now + 1) == restored.on_quote(quote, desk.now + 1)
    assert snapshot(before) == snapshot(restored)
