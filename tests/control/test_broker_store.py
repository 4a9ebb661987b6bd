"""A broker's rows: what is written is what is read, in order, or not at all."""

from __future__ import annotations

import sqlite3

import pytest

from fastrouter.broker import Account, Broker, Change, Prices, Row, restore, snapshot
from fastrouter.control.broker_store import MINUTE, SCHEMA, BrokerStore
from fastrouter.core.event import Quote
from fastrouter.errors import StoreError

NOW = 1_700_000_000 * 10**9
ORDER = {"symbol": "S:A", "side": "buy", "type": "limit", "time_in_force": "gtc", "qty": "1"}


@pytest.fixture
def connection() -> sqlite3.Connection:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    for step in SCHEMA:
        opened.executescript(step)
    yield opened
    opened.close()


@pytest.fixture
def broker() -> Broker:
    return Broker(Account.opened("a-1", 10_000), Prices(["S:A"]))


def traded(broker: Broker, count: int, spread: int = 1) -> list[Change]:
    """Orders that fill, rest and are canceled, `spread` ns apart."""
    changes = []
    for number in range(count):
        now = NOW + number * 4 * spread
        change = broker.submit(ORDER | {"limit_price": str(100 - number % 3)}, now)
        changes.append(change)
        if number % 3 == 0:
            changes.append(broker.on_quote(Quote("S:A", bid=99, ask=100), now + spread))
        elif number % 3 == 1:
            changes.append(broker.cancel(change.order.id, now + spread))
    return changes


def rows(state: dict) -> dict:
    """Without what no row tells: marks since the last fill, the last market event."""
    tables = {name: dict(table) for name, table in state.items() if name != "now"}
    for name in ("positions", "holdings"):
        tables[name] = {key: row | {"mark": None} for key, row in tables[name].items()}
    return tables


def test_a_broker_made_of_its_rows_is_the_same(connection, broker):
    store = BrokerStore("a-1")
    for number, change in enumerate(traded(broker, 30), 1):
        store.write(connection, number, change, NOW, 0)
    kept = store.load(connection, 10_000, NOW)
    assert rows(kept.state) == rows(snapshot(broker))
    again = restore(kept.state, broker.market)
    assert list(again.orders) == list(broker.orders)


def test_events_are_numbered_in_order_and_let_go(connection, broker):
    store = BrokerStore("a-1")
    said = []
    for number, change in enumerate(traded(broker, 6), 1):
        first = store.write(connection, number, change, NOW + number, 0)
        assert first == len(said) + 1
        said += change.events
    events = store.events(connection)
    assert [event.number for event in events] == list(range(1, len(said) + 1))
    assert [(event.kind, event.payload) for event in events] == said
    assert store.load(connection, 1, NOW).events == len(said)
    store.prune(connection, 3)
    assert store.events(connection)[0].number == 4


def test_a_change_without_the_one_before_it_is_refused(connection):
    store = BrokerStore("a-1")
    change = Change(rows=(Row("limits", "s", {}),))
    store.write(connection, 1, change, NOW, 0)
    for number in (1, 3):
        with pytest.raises(StoreError, match="a change before it"):
            store.write(connection, number, change, NOW, 0)
    store.write(connection, 2, change, NOW, 0)
    assert store.load(connection, 1, NOW).changes == 2


def test_only_the_last_ended_orders_are_read_and_those_of_the_last_minute(connection, broker):
    store = BrokerStore("a-1")
    for number, change in enumerate(traded(broker, 30, spread=MINUTE), 1):
        store.write(connection, number, change, NOW, 0)
    opened = {order.id for order in broker.open_orders()}
    ended = [order.id for order in broker.orders if not order.is_open]
    late = NOW + 1000 * MINUTE
    for most in (0, 5, 1000):
        found = list(store.load(connection, most, late).state["orders"])
        assert found[: -len(opened)] == (ended[-most:] if most else [])
        assert set(found[-len(opened) :]) == opened
    newest = broker.orders.get(ended[-1])
    found = store.load(connection, 0, newest.updated_at + MINUTE - 1).state["orders"]
    assert ended[-1] in found


def test_a_change_of_any_size(connection):
    store = BrokerStore("a-1")
    rows = tuple(Row("limits", f"s-{number}", {"x": number}) for number in range(20_000))
    events = tuple(("account", {"id": str(number)}) for number in range(20_000))
    store.write(connection, 1, Change(rows, events), NOW, 0)
    assert len(store.load(connection, 1, NOW).state["limits"]) == 20_000
    assert [event.payload["id"] for event in store.events(connection)] == [
        str(number) for number in range(20_000)
    ]


def test_a_row_that_is_gone_is_gone(connection):
    store = BrokerStore("a-1")
    store.write(connection, 1, Change(rows=(Row("positions", "S:A", {"x": 1}),)), NOW, 0)
    assert store.load(connection, 1, NOW).state["positions"] == {"S:A": {"x": 1}}
    store.write(connection, 2, Change(rows=(Row("positions", "S:A", None),)), NOW, 0)
    assert store.load(connection, 1, NOW).state["positions"] == {}


def test_accounts_do_not_see_each_other(connection):
    change = Change(rows=(Row("limits", "s", {"x": 1}),))
    BrokerStore("a-1").write(connection, 1, change, NOW, 0)
    assert BrokerStore("a-2").load(connection, 1, NOW).state["limits"] == {}


def test_each_store_has_a_name_of_its_own(connection):
    name = BrokerStore("a-1").load(connection, 1, NOW).name
    assert len(name) == 16
    assert BrokerStore("a-2").load(connection, 1, NOW).name == name


def test_a_row_that_is_no_json_is_damage(connection):
    store = BrokerStore("a-1")
    connection.execute("INSERT INTO broker_row VALUES ('a-1', 'limits', 's', 'no json')")
    with pytest.raises(StoreError, match="damaged"):
        store.load(connection, 1, NOW)
