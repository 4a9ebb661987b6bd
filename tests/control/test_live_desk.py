"""The live desk: durable before it is told, told once, restored when the disk is full."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from fastrouter.broker import Change, Limits, Order, Rules, snapshot
from fastrouter.broker.order import TERMINAL
from fastrouter.control.reading import read
from fastrouter.control.terms import Terms
from fastrouter.core.event import Candle
from fastrouter.errors import ConfigError, EventError, OrderError, StoreError

from .test_broker_store import rows
from .trader import BUY, SYMBOL, Trader, balance

#: orders wait for the next quote, so that each has its one event until then
WAITING = Terms(rules=Rules())


@pytest.fixture
async def trader(tmp_path) -> AsyncIterator[Trader]:
    async with Trader(tmp_path, WAITING) as opened:
        opened.quote()
        yield opened


@pytest.fixture
async def live(tmp_path) -> AsyncIterator[Trader]:
    """As it is served: orders are met as they are accepted."""
    async with Trader(tmp_path) as opened:
        opened.quote()
        yield opened


# ------------------------------------------------------------------ orders and the market


async def test_an_order_is_met_by_the_last_quote_as_it_is_accepted(live):
    order = await live.submit()
    assert (order.status, order.filled_avg_price) == ("filled", 101)
    assert live.names() == ["ORDER_ACCEPTED", "ORDER_FILLED", "trade", "position", "account"]
    limit = await live.submit(type="limit", limit_price="5")
    assert limit.status == "new"
    balance(live.broker)


async def test_many_at_once_share_the_last_quote(live):
    live.quote(ask=102, ask_size=25)
    orders = await asyncio.gather(*(live.submit() for _ in range(4)))
    assert [order.filled_qty for order in orders] == [10, 10, 5, 0]
    live.quote(ask=103)
    await live.met()
    assert [live.order(order).status for order in orders] == ["filled"] * 4
    await live.do(lambda broker, now: broker.close_all(now))
    assert live.broker.ledger.positions == {}


async def test_a_quote_that_was_published_before_gives_to_who_was_there_first(live):
    resting = await live.submit(type="limit", limit_price="60", qty="6")
    live.quote(bid=49, ask=50, ask_size=10)
    late = await live.submit()
    assert live.order(resting).filled_avg_price == 60
    assert (late.filled_qty, late.filled_avg_price) == (4, 50)


async def test_a_symbol_that_is_not_watched_has_its_last_quote_all_the_same(live):
    live.quote(symbol="S:OTHER", ask=7, ask_size=10)
    assert live.router.market.pending == 0
    first = await live.submit(symbol="OTHER")
    assert first.filled_avg_price == 7
    await live.submit(symbol="OTHER", side="sell")
    assert live.broker.books == {}
    live.quote(symbol="S:OTHER", ask=8, ask_size=10)
    assert (await live.submit(symbol="OTHER")).filled_avg_price == 8


async def test_a_stop_loss_is_closed_by_the_quote_that_brings_it_about(live):
    limits = Limits.parse({"stopLossPercentage": 0.1})
    await live.do(lambda broker, now: broker.limit("s-1", limits, now))
    await live.submit(strategy_id="s-1")
    live.quote(bid=80, ask=81)
    live.quote(bid=70, ask=71)  # it waits behind the first
    await live.met()
    assert live.broker.ledger.positions == {}
    assert [p["executed_price"] for kind, p in live.events() if kind == "trade"] == ["101", "80"]


async def test_what_was_taken_of_a_quote_is_gone_after_a_failure(live, monkeypatch):
    live.quote(ask=101, ask_size=10)
    assert (await live.submit(qty="7")).status == "filled"
    with pytest.raises(StoreError):
        await live.do(lambda broker, now: 1 / 0)
    assert (await live.submit(qty="7")).filled_qty == 3
    balance(live.broker)


async def test_after_a_restart_there_is_no_quote_yet(tmp_path):
    async with Trader(tmp_path) as trader:
        trader.quote(ask_size=10)
        await trader.submit(qty="15")
    async with Trader(tmp_path) as trader:
        await trader.met()
        (order,) = trader.broker.open_orders()
        assert order.filled_qty == 10
        trader.quote(ask=99)
        await trader.met()
        assert trader.order(order).status == "filled"


async def test_an_order_is_met_by_the_next_quote_and_not_by_the_last(trader):
    order = await trader.submit()
    assert order.status == "accepted"
    await trader.met()
    assert trader.order(order).status == "accepted"
    trader.quote(ask=102)
    await trader.met()
    assert trader.order(order).filled_avg_price == 102
    assert trader.names() == ["ORDER_ACCEPTED", "ORDER_FILLED", "trade", "position", "account"]


async def test_a_quote_that_was_published_before_is_met_before(trader):
    """Though the broker had no turn yet: it could have been known."""
    first = await trader.submit(qty="1")
    trader.quote(ask=50)
    second = await trader.submit(qty="1")
    assert trader.order(first).filled_avg_price == 50
    assert trader.order(second).status == "accepted"


async def test_every_quote_reaches_it_in_order(trader):
    order = await trader.submit(qty="10")
    for ask in range(110, 120):
        trader.quote(ask=ask, ask_size=1)
    await trader.met()
    found = trader.order(order)
    assert found.status == "filled"
    assert found.filled_avg_price == Decimal("114.5")
    assert [p["executed_price"] for kind, p in trader.events() if kind == "trade"] == [
        str(ask) for ask in range(110, 120)
    ]


async def test_the_loop_meets_the_market_by_itself(trader):
    order = await trader.submit()
    trader.quote()
    while trader.order(order).is_open:  # noqa: ASYNC110 -- the loop's turns are what is tested
        await asyncio.sleep(0)
    await trader.desk.settled()
    assert trader.names()[-1] == "account"


async def test_symbols_without_orders_and_positions_are_not_watched(trader):
    order = await trader.submit(type="limit", limit_price="1")
    await trader.met()
    trader.quote()
    trader.quote(symbol="S:OTHER")
    assert trader.router.market.pending == 1
    await trader.do(lambda broker, now: broker.cancel(order.id, now))
    trader.quote()
    assert trader.router.market.pending == 0


async def test_bars_fill_where_there_are_no_quotes(tmp_path):
    def bar(number: int, **prices: float) -> Candle:
        """Of an old file: its time says nothing of now."""
        values = {"open": 10, "high": 12, "low": 9, "close": 11} | prices
        return Candle("S:BARS", timeframe="1m", time=number * 60_000_000_000, **values)

    async with Trader(tmp_path) as trader:
        trader.router.publish(bar(0))
        order = await trader.submit(symbol="BARS")
        trader.router.publish(bar(1))  # what it tells of had begun
        await trader.met()
        assert trader.order(order).status in ("accepted", "new")
        trader.router.publish(bar(2, open=10.5))
        await trader.met()
        assert trader.order(order).filled_avg_price == Decimal("10.5")


async def test_what_cannot_be_changes_nothing(trader):
    with pytest.raises(OrderError):
        await trader.submit(qty="-1")
    with pytest.raises(OrderError, match="not known"):
        await trader.submit(symbol="NEVER")
    assert trader.names() == []


async def test_the_same_order_twice_is_one(trader):
    one, two = await asyncio.gather(
        trader.submit(client_order_id="mine"), trader.submit(client_order_id="mine")
    )
    assert one.id == two.id
    assert trader.names() == ["ORDER_ACCEPTED"]


async def test_many_at_once_are_answered_after_they_are_told(trader):
    told = []

    async def one(number: int) -> None:
        order = await trader.submit(client_order_id=f"c{number}", qty="0.001")
        assert order.id in {payload.get("id") for _, payload in trader.events()}
        told.append(order.number)

    await asyncio.gather(*(one(number) for number in range(200)))
    assert told == sorted(told)
    assert len(trader.names()) == 200


async def test_who_is_canceled_has_an_order_all_the_same(trader):
    asking = asyncio.ensure_future(trader.submit(client_order_id="mine"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    await trader.desk.settled()
    assert trader.broker.orders.of_client("mine").status == "accepted"
    assert trader.names() == ["ORDER_ACCEPTED"]


async def test_events_have_their_account_symbol_and_time(trader):
    order = await trader.submit()
    (entry,) = trader.journal.tail.page(trader.start, 1 << 20)
    assert (entry.account, entry.symbol, entry.time) == ("default", SYMBOL, order.created_at)


async def test_time_never_goes_back(trader):
    now = trader.desk.now()
    for _ in range(1000):
        trader.quote()
    await trader.submit()
    assert trader.desk.now() >= trader.broker.now or trader.desk.now() >= now


async def test_a_signal_is_published(trader):
    signal = {"id": "s-1", "symbol": SYMBOL, "action": "BUY", "strategy_id": "crossover"}
    assert trader.desk.signal(signal) == f"evt_{trader.router.last_id}"
    assert trader.names() == ["signal"]
    with pytest.raises(EventError):
        trader.desk.signal({"symbol": SYMBOL})


# ------------------------------------------------------------------ over a restart


async def test_a_restart_changes_nothing_and_tells_nothing_twice(tmp_path):
    async with Trader(tmp_path, Terms(rules=Rules())) as trader:
        trader.quote()
        bought = await trader.submit(client_order_id="bought")
        resting = await trader.submit(type="limit", limit_price="5", qty="3")
        trader.quote()
        await trader.met()
        await trader.do(lambda broker, now: broker.limit("s-1", Limits.parse({}), now))
        account = trader.broker.ledger.account
        positions = dict(trader.broker.ledger.positions)
    async with Trader(tmp_path) as trader:
        assert trader.names() == []
        assert trader.broker.ledger.account == account
        trader.quote()
        await trader.met()
        assert trader.broker.ledger.positions == positions
        assert trader.order(bought).status == "filled"
        assert trader.order(resting).is_open
        assert trader.broker.limits == {"s-1": Limits()}
        assert (await trader.submit(client_order_id="bought", symbol=SYMBOL)).id == bought.id
        trader.quote(ask=4)  # it is watched again
        await trader.met()
        assert trader.order(resting).status == "filled"
        balance(trader.broker)


async def test_the_same_order_after_a_restart_is_one_before_there_is_a_quote(tmp_path):
    again = {"side": "sell", "client_order_id": "again"}
    async with Trader(tmp_path) as trader:
        trader.quote()
        await trader.submit()
        sold = await trader.submit(**again)
        assert not trader.broker.books
    async with Trader(tmp_path) as trader:
        assert await trader.submit(**again) == sold
        with pytest.raises(OrderError, match="not known"):
            await trader.submit(symbol="MSFT")


async def test_what_was_kept_and_not_told_is_told_after_a_restart(tmp_path):
    """As if it had been killed between the commit and the announcement."""
    async with Trader(tmp_path, WAITING) as trader:
        trader.quote()
        await trader.submit(client_order_id="told")
        real = trader.desk._announcer.announce
        trader.desk._announcer.announce = lambda events: list(events)
        await trader.submit(client_order_id="untold-1")
        await trader.submit(client_order_id="untold-2")
        trader.desk._announcer.announce = real
    async with Trader(tmp_path, WAITING) as trader:
        told = [payload["client_order_id"] for _, payload in trader.events()]
        assert told == ["untold-1", "untold-2"]
    async with Trader(tmp_path, WAITING) as trader:
        assert trader.names() == []


@pytest.mark.parametrize("spool", [True, False])
async def test_without_a_journals_file_what_was_told_is_beside_the_store(tmp_path, spool):
    """When that is removed, the store's word counts: the last change is told once more."""
    async with Trader(tmp_path, WAITING, journal=False) as trader:
        trader.quote()
        for name in ("first", "second", "last"):
            await trader.submit(client_order_id=name)
        trader.desk._closing = True  # as if killed: nothing more is let go
    if not spool:
        (tmp_path / "state.db-spool").unlink()
    async with Trader(tmp_path, WAITING, journal=False) as trader:
        told = [payload["client_order_id"] for _, payload in trader.events()]
        assert told == ([] if spool else ["last"])
    async with Trader(tmp_path, WAITING, journal=False) as trader:
        assert trader.names() == []


@pytest.mark.parametrize("journal", [True, False])
async def test_of_an_older_store_that_was_put_back_no_event_is_lost(tmp_path, journal):
    """Its numbers are given again, and what they were given to is not announced."""
    async with Trader(tmp_path, WAITING, journal=journal) as trader:
        trader.quote()
        await trader.submit(client_order_id="old")
    before = (tmp_path / "state.db").read_bytes()
    async with Trader(tmp_path, WAITING, journal=journal) as trader:
        trader.quote()
        for number in range(20):
            await trader.submit(client_order_id=f"gone-{number}")
    (tmp_path / "state.db").write_bytes(before)
    async with Trader(tmp_path, WAITING, journal=journal) as trader:
        trader.quote()
        trader.desk._announcer.announce = list  # as if killed before
        await trader.submit(client_order_id="untold")
        trader.desk._closing = True
    async with Trader(tmp_path, WAITING, journal=journal) as trader:
        told = [payload.get("client_order_id") for _, payload in trader.events()]
        assert told.count("untold") == 1


async def test_announced_events_are_let_go(tmp_path):
    async with Trader(tmp_path, WAITING) as trader:
        trader.quote()
        for _ in range(20):
            await trader.submit(qty="1")
        left = await trader.database.run(trader.desk._store.events)
        assert [event.number for event in left] == [20]
    async with Trader(tmp_path, WAITING) as trader:
        assert await trader.database.run(trader.desk._store.events) == []


async def test_an_account_of_another_name_is_another(tmp_path):
    async with Trader(tmp_path, WAITING) as trader:
        trader.quote()
        first = await trader.submit()
    async with Trader(tmp_path, Terms(account="other", cash=5)) as trader:
        assert trader.broker.ledger.account.cash == 5
        trader.quote()
        with pytest.raises(OrderError):
            trader.order(first)
        second = await trader.submit(type="limit", limit_price="1", qty="1")
        assert second.id != first.id
    async with Trader(tmp_path, WAITING) as trader:
        assert trader.order(first).is_open
        assert trader.broker.ledger.account.cash == 100_000


async def test_orders_that_are_none_are_damage(tmp_path):
    async with Trader(tmp_path) as trader:
        trader.quote()
        await trader.submit()
        spoil = 'UPDATE broker_order SET value = \'{"id": "x"}\''
        await trader.database.run(lambda connection: connection.execute(spoil))
    with pytest.raises(StoreError, match="cannot be used"):
        async with Trader(tmp_path):
            pass


async def test_another_currency_is_refused_and_another_mode_taken(tmp_path):
    async with Trader(tmp_path):
        pass
    with pytest.raises(ConfigError, match="in USD, not EUR"):
        async with Trader(tmp_path, Terms(currency="EUR")):
            pass


async def test_without_files_it_trades_all_the_same():
    async with Trader() as trader:
        trader.quote()
        await trader.submit()
        trader.quote()
        await trader.met()
        assert len(trader.names()) == 5


# ------------------------------------------------------------------ when nothing can be kept


async def test_a_full_disk_undoes_what_was_not_kept_and_all_on_top_of_it(trader):
    kept = await trader.submit(client_order_id="kept")
    await trader.fill_the_disk()
    orders = [trader.submit(client_order_id="x" * 40 + str(n)) for n in range(100)]
    results = await asyncio.gather(*orders, return_exceptions=True)
    failed = [one for one in results if isinstance(one, StoreError)]
    first = next(n for n, one in enumerate(results) if isinstance(one, StoreError))
    assert len(failed) == 100 - first
    told = [payload["client_order_id"] for _, payload in trader.events()]
    assert told == ["kept", *(one.client_order_id for one in results[:first])]

    await trader.free_the_disk()
    again = await trader.submit(client_order_id="again")
    assert again.status == "accepted"
    assert trader.order(kept).is_open
    with pytest.raises(OrderError):
        trader.broker.orders.get("x")
    assert trader.broker.orders.of_client("x" * 40 + "99") is None
    assert [one.number for one in trader.broker.open_orders()] == list(
        range(1, len(trader.broker.open_orders()) + 1)
    )


async def test_a_fill_that_cannot_be_kept_did_not_happen(trader, monkeypatch):
    order = await trader.submit()
    broken = True
    write = trader.desk._store.write

    def fail(connection, *arguments):
        if broken:
            raise StoreError("no room")
        return write(connection, *arguments)

    monkeypatch.setattr(trader.desk._store, "write", fail)
    trader.quote()
    with pytest.raises(StoreError):
        await trader.met()
    before = trader.names()
    broken = False
    await trader.met()  # it is taken again
    assert trader.order(order).status == "accepted"
    assert trader.names() == before == ["ORDER_ACCEPTED"]
    trader.quote(ask=103)
    await trader.met()
    assert trader.order(order).filled_avg_price == 103
    balance(trader.broker)


async def test_the_market_passes_while_nothing_can_be_kept(trader, monkeypatch):
    await trader.submit(type="limit", limit_price="1")
    monkeypatch.setattr(trader.desk._store, "write", _raise)
    monkeypatch.setattr(trader.desk._store, "load", _raise)
    with pytest.raises(StoreError):
        await trader.submit()
    with pytest.raises(StoreError):
        await trader.submit()
    for _ in range(500):
        trader.quote()
    while trader.router.market.pending:  # noqa: ASYNC110 -- the loop's turns are what is tested
        await asyncio.sleep(0)
    monkeypatch.undo()
    assert (await trader.submit()).status == "accepted"


async def test_what_was_refused_is_not_shown(trader, monkeypatch):
    kept = await trader.submit(client_order_id="kept")
    monkeypatch.setattr(trader.desk._store, "write", _raise)
    with pytest.raises(StoreError):
        await trader.submit(client_order_id="refused")
    assert await read(trader.desk, names) == ["kept"]
    trader.quote()  # it would be filled
    assert await read(trader.desk, names) == ["kept"]
    assert trader.order(kept).status == "accepted"


async def test_nothing_is_shown_while_what_is_kept_cannot_be_had(trader, monkeypatch):
    monkeypatch.setattr(trader.desk._store, "write", _raise)
    monkeypatch.setattr(trader.desk._store, "load", _raise)
    with pytest.raises(StoreError):
        await trader.submit(client_order_id="refused")
    for _ in range(2):
        with pytest.raises(StoreError):
            await read(trader.desk, names)
    monkeypatch.undo()
    assert await read(trader.desk, names) == []


async def test_a_view_of_what_was_not_kept_is_made_again(trader):
    await trader.submit(client_order_id="kept")
    seen = []

    async def view(broker):
        """A listing that takes some turns, within which the broker fails and is restored."""
        seen.append(names(broker))
        if len(seen) == 1:
            with pytest.raises(StoreError):
                await trader.do(half)
            await trader.met()
            await trader.submit(client_order_id="later")
        return names(broker)

    assert await read(trader.desk, view) == ["kept", "later"]
    assert seen == [["kept"], ["kept", "later"]]


async def test_what_was_not_kept_refuses_nothing(trader):
    """The order was canceled by what is undone: nobody is told so."""
    order = await trader.submit()

    def cancels(broker, now) -> Change:
        broker.cancel(order.id, now)
        raise ZeroDivisionError

    def view(broker) -> str:
        if not broker.orders.get(order.id).is_open:
            raise OrderError("it has ended", code="ORDER_NOT_OPEN")
        return "open"

    with pytest.raises(StoreError):
        await trader.do(cancels)
    assert await read(trader.desk, view) == "open"


async def test_a_fill_that_cannot_be_kept_refuses_nothing(trader, monkeypatch):
    order = await trader.submit(type="limit", limit_price="99")
    monkeypatch.setattr(trader.desk._store, "write", _raise)
    trader.quote(bid=98, ask=98)
    with pytest.raises(StoreError):  # it is filled, as far as anybody knows by now
        await trader.do(lambda broker, now: broker.cancel(order.id, now))
    monkeypatch.undo()
    change = await trader.do(lambda broker, now: broker.cancel(order.id, now))
    assert change.order.status == "canceled"
    assert trader.names() == ["ORDER_ACCEPTED", "ORDER_CANCELED"]


def names(broker) -> list[str]:
    return [order.client_order_id for order in broker.open_orders()]


def half(broker, now) -> Change:
    """Our own fault: what it did before it failed is not known."""
    broker.submit(BUY | {"client_order_id": "half"}, now)
    raise ZeroDivisionError


def _raise(connection, *arguments):
    raise StoreError("no room")


@pytest.mark.parametrize("seed", range(8))
async def test_a_store_that_fails_now_and_then(tmp_path, monkeypatch, seed):
    """What was answered is kept, what was told is kept, and nothing else: by random failures."""
    rng = random.Random(seed)
    rules = Rules(shorting=True, at_once=seed % 2 == 1)
    async with Trader(tmp_path, Terms(rules=rules)) as trader:
        write = trader.desk._store.write
        failing = True

        def sometimes(connection, number, change, time, done):
            step = rng.random() if failing else 1
            if step < 0.05:
                raise StoreError("no room")
            if step < 0.1:  # everybody's of the transaction
                raise sqlite3.OperationalError("disk I/O error")
            return write(connection, number, change, time, done)

        monkeypatch.setattr(trader.desk._store, "write", sometimes)
        trader.quote()
        answered: dict[str, Order] = {}

        async def one(name: int) -> None:
            for count in range(30):
                fields = {"side": rng.choice(("buy", "sell")), "qty": str(rng.randrange(1, 9))}
                if rng.random() < 0.3:
                    fields |= {"type": "limit", "limit_price": str(rng.randrange(90, 110))}
                try:
                    order = await trader.submit(client_order_id=f"{name}-{count}", **fields)
                    answered[order.id] = order
                    trader.quote(bid=rng.randrange(90, 110), ask=rng.randrange(90, 110), ask_size=5)
                    if rng.random() < 0.3:
                        await trader.do(
                            lambda broker, now, order=order: broker.cancel(order.id, now)
                        )
                except (StoreError, OrderError):
                    continue

        await asyncio.gather(*(one(name) for name in range(8)))
        failing = False
        while True:
            try:
                await trader.met()
            except StoreError:
                continue
            break
        found = await trader.database.run(lambda c: trader.desk._store.load(c, 10**6, 0))
        assert rows(found.state) == rows(snapshot(trader.broker))
        balance(trader.broker)
        for order in answered.values():
            assert trader.order(order).client_order_id == order.client_order_id
        kept = trader.events()
        assert len(kept) == found.events
        orders = [payload for kind, payload in kept if kind == "order"]
        accepted = [one["id"] for one in orders if one["event"] == "ORDER_ACCEPTED"]
        assert len(accepted) == len(set(accepted))
        ends = [one["id"] for one in orders if one["status"] in TERMINAL]
        assert sorted(ends) == sorted(o.id for o in trader.broker.orders if not o.is_open)


async def test_a_broker_that_fails_is_restored(trader):
    with pytest.raises(StoreError, match="ZeroDivisionError"):
        await trader.do(half)
    assert (await trader.submit(client_order_id="whole")).number == 1
    assert trader.broker.orders.of_client("half") is None


async def test_nobody_is_served_by_a_broker_that_failed(trader):
    """Two wait until it is restored; it fails again by the first of them."""
    asked = []

    def whole(broker, now) -> Change:
        asked.append(broker)
        return broker.submit(BUY, now)

    def fails(broker, now) -> Change:
        asked.append(broker)
        raise ZeroDivisionError

    with pytest.raises(StoreError):
        await trader.do(half)
    first, second = await asyncio.gather(trader.do(fails), trader.do(whole), return_exceptions=True)
    assert isinstance(first, StoreError)
    assert second.order.status == "accepted"
    assert asked[0] is not asked[1] is trader.broker


async def test_positions_are_valued_at_the_last_prices_after_it_is_restored(trader):
    await trader.submit()
    trader.quote(bid=100, ask=100)
    await trader.met()
    trader.quote(bid=150, ask=151)
    await trader.met()
    equity = trader.broker.equity
    with pytest.raises(StoreError):
        await trader.do(lambda broker, now: 1 / 0)
    await trader.met()
    assert trader.broker.equity == equity == 100_500


async def test_nothing_is_taken_after_the_close(trader):
    order = await trader.submit()
    await trader.desk.close()
    with pytest.raises(StoreError) as caught:
        await trader.submit()
    assert caught.value.code == "DRAINING"
    trader.quote()
    assert trader.router.market.pending == 0
    assert trader.order(order).is_open


async def test_the_close_while_nothing_can_be_kept(trader, monkeypatch):
    await trader.submit(type="limit", limit_price="1")
    monkeypatch.setattr(trader.desk._store, "write", _raise)
    with pytest.raises(StoreError):
        await trader.submit()
    trader.desk._retry()  # it is being restored
    await trader.desk.close()
    trader.quote()
    assert trader.router.market.pending == 0


async def test_what_is_under_way_at_the_close_is_kept_and_told(tmp_path):
    async with Trader(tmp_path, WAITING) as trader:
        trader.quote()
        asking = [asyncio.ensure_future(trader.submit(qty="1")) for _ in range(20)]
        await asyncio.sleep(0)
        trader.quote()
        await trader.desk.close()
        orders = await asyncio.gather(*asking)
        assert all(order.status == "accepted" for order in orders)
        assert trader.names().count("ORDER_ACCEPTED") == 20
        assert trader.names().count("ORDER_FILLED") == 20


# ------------------------------------------------------------------ the clock


async def test_the_clock_is_set_by_the_first_order_of_all():
    soon = (time.time_ns() + 30_000_000_000) % 86_400_000_000_000
    async with Trader(terms=Terms(rules=Rules(session_end=soon, at_once=True))) as trader:
        trader.quote()
        before = trader.desk._timers["clock"].when()
        await trader.submit(type="limit", limit_price="1", time_in_force="day")
        after = trader.desk._timers["clock"].when()
        assert before - after > 20  # s


async def test_day_orders_expire_by_the_clock(trader, monkeypatch):
    order = await trader.submit(type="limit", limit_price="1", time_in_force="day")
    trader.desk._clock_rings()  # nothing is due
    assert trader.order(order).is_open
    monkeypatch.setattr(trader.desk, "_instant", trader.broker.wakes_at)
    trader.desk._clock_rings()
    await trader.desk.settled()
    assert trader.order(order).status == "expired"
    assert trader.names() == ["ORDER_ACCEPTED", "ORDER_EXPIRED"]


async def test_the_clock_does_not_keep_the_loop_while_nothing_can_be_kept(trader, monkeypatch):
    order = await trader.submit(type="limit", limit_price="1", time_in_force="day")
    monkeypatch.setattr(trader.desk._store, "write", _raise)
    with pytest.raises(StoreError):
        await trader.submit()
    monkeypatch.setattr(trader.desk, "_instant", trader.broker.wakes_at)
    rings = []
    monkeypatch.setattr(trader.desk, "_set", lambda name, seconds, ring: rings.append(seconds))
    trader.desk._clock_rings()  # it is due, and in vain
    assert rings == [1.0]
    monkeypatch.undo()
    await trader.desk.settled()
    trader.desk._instant = trader.broker.wakes_at
    trader.desk._clock_rings()
    await trader.desk.settled()
    assert trader.order(order).status == "expired"
