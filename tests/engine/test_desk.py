"""Orders in a run: when they are accepted, when they are filled, and what is owed for them."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from fastrouter.broker import Account, Change, Rules
from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE, Rows
from fastrouter.engine.desk import RunDesk
from fastrouter.engine.merge import stretches
from fastrouter.engine.run import Run
from fastrouter.engine.track import Block
from fastrouter.errors import EventError, OrderError

from .peer import SECOND, START, Client, new_run

DAY = 86_400
KINDS = ("order", "trade", "position", "account")
ALL = [("*", kind) for kind in ("quote", "candle@1m", "signal", "risk", *KINDS)]
FILLED = ["order", "trade", "position", "account"]


def quotes(*rows: tuple) -> Rows:
    """By second, symbol, bid, ask, and sizes, which are not known by default."""
    array = np.zeros(len(rows), QUOTE_DTYPE)
    for number, (second, symbol, bid, ask, *sizes) in enumerate(rows):
        bid_size, ask_size = sizes or (0, 0)
        time = START + second * SECOND
        array[number] = (symbol.encode(), time, bid, ask, (bid + ask) / 2, bid_size, ask_size)
    return array


def bars(*rows: tuple, symbol="S:A") -> Rows:
    """Closed 1m bars by the second they open, open, high, low, close."""
    array = np.zeros(len(rows), CANDLE_DTYPE)
    for number, (second, *prices) in enumerate(rows):
        array[number] = (symbol.encode(), b"1m", START + second * SECOND, *prices, 5, True)
    return array


def day(*asks: float, symbol="S:A") -> Rows:
    """A quote each second; the bid is 1 less."""
    return quotes(*((second, symbol, ask - 1, ask) for second, ask in enumerate(asks)))


class Desk(RunDesk):
    """A run's desk, in few words."""

    def __init__(self, run: Run, cash=10_000, symbols=(), **rules) -> None:
        super().__init__(run, Account.opened("default", cash), Rules(**rules), symbols)
        self.run = run

    def do(self, call) -> Change:
        """It never waits: no loop is needed."""
        try:
            self.change(call).send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("it waits")

    def order(self, side="buy", qty=1, symbol="S:A", **fields):
        asked = {"symbol": symbol, "side": side, "qty": qty, **fields}
        return self.do(lambda broker, now: broker.submit(asked, now)).order

    def cancel(self, order) -> Change:
        return self.do(lambda broker, now: broker.cancel(order.id, now))

    def status(self, order) -> str:
        return self.broker.orders.get(order.id).status

    def price(self, order) -> float | None:
        found = self.broker.orders.get(order.id).filled_avg_price
        return None if found is None else float(found)


class Trader(Client):
    """A member that can be asked for the kinds of what it got."""

    def __init__(self, run: Run, patterns=ALL, **options) -> None:
        super().__init__(run, patterns, **options)
        self.owed: list[int] = []

    def read(self):
        messages = super().read()
        self.owed += [int(message["id"][4:]) for message in messages]
        return messages

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.read()]

    def go(self) -> list[str]:
        """Acknowledge all that is owed; the kinds of what came for it."""
        self.read()
        owed, self.owed = self.owed, []
        self.ack(*owed)
        return self.kinds()


def supply(run: Run, *files: Rows) -> None:
    """All of its data; a bar is known when it closes."""
    blocks = []
    for rows in files:
        closes = rows["time"] + (60 * SECOND if rows.dtype == CANDLE_DTYPE else 0)
        blocks.append([Block(closes, rows)])
    for stretch in stretches(blocks):
        run.tape.feed(stretch)


def at_work(*files: Rows, patterns=ALL, cash=10_000, rules=None, **options):
    run = new_run(**options)
    supply(run, *files)
    run.tape.end()
    return Trader(run, patterns), Desk(run, cash, **(rules or {}))


# ------------------------------------------------------------------- when they are filled


def test_a_market_order_is_filled_at_the_next_event_of_its_symbol():
    rows = quotes((0, "S:A", 9, 10), (1, "S:B", 1, 2), (2, "S:A", 19, 20), (3, "S:A", 29, 30))
    trader, desk = at_work(rows)
    assert trader.kinds() == ["quote"]
    bought = desk.order(qty=2)
    (accepted,) = trader.read()
    assert (accepted["event"], accepted["id"]) == ("ORDER_ACCEPTED", "evt_2")
    assert accepted["timestamp"] == "2025-01-01T00:00:00.000000Z"
    assert trader.go() == ["quote"]  # of the other symbol
    assert desk.status(bought) == "accepted"
    assert trader.go() == ["quote", *FILLED]
    assert (desk.status(bought), desk.price(bought)) == ("filled", 20)
    assert trader.go() == ["quote"]
    assert desk.now() == START + 3 * SECOND


def test_all_quotes_of_an_instant_are_met_in_order_and_none_of_the_orders_own():
    rows = quotes(
        *((0, "S:A", 9, 10), (0, "S:A", 7, 8)),
        *((1, "S:A", 19, 20, 3, 3), (1, "S:A", 29, 30, 4, 4), (1, "S:A", 39, 40)),
    )
    trader, desk = at_work(rows)
    assert trader.kinds() == ["quote", "quote"]
    bought = desk.order(qty=8)
    assert trader.kinds() == ["order"]
    assert trader.go() == ["quote"] * 3 + FILLED * 3
    assert desk.price(bought) == (3 * 20 + 4 * 30 + 40) / 8


def test_a_limit_waits_until_it_is_touched():
    trader, desk = at_work(day(10, 11, 12, 9, 8))
    trader.read()
    order = desk.order(type="limit", limit_price=9.5)
    for came in (["quote"], ["quote"], ["quote", *FILLED]):
        assert trader.go() == came
    assert desk.price(order) == 9.5


def test_bars_fill_at_the_next_open():
    rows = bars((0, 10, 12, 9, 11), (60, 13, 14, 12, 13), (120, 15, 16, 14, 15))
    trader, desk = at_work(rows)
    trader.read()
    assert desk.now() == START + 60 * SECOND
    order = desk.order()
    assert trader.go() == ["candle", *FILLED]
    assert desk.price(order) == 13
    assert trader.go() == ["candle"]


def test_who_subscribes_to_nothing_of_a_symbol_can_trade_it():
    rows = quotes((0, "S:B", 1, 2), (0, "S:A", 9, 10), (1, "S:A", 19, 20), (2, "S:B", 1, 2))
    trader, desk = at_work(rows, patterns=[("S:B", "quote"), ("*", "order")])
    assert trader.kinds() == ["quote"]
    order = desk.order()
    assert trader.go() == ["order"]
    assert desk.price(order) == 20


def test_candles_built_of_quotes_fill_nothing():
    rows = day(*range(10, 75))
    trader, desk = at_work(rows, candles=("1m",), patterns=[*ALL, ("*", "candle@1m")])
    trader.read()
    order = desk.order(type="limit", limit_price=5)
    while not trader.run.over:
        trader.go()
    assert desk.status(order) == "new"
    assert desk.broker.market.last("S:A").ask == 74


def test_it_values_what_is_held_at_the_end_of_each_instant():
    trader, desk = at_work(day(10, 11, 21, 16, 31))
    trader.read()
    desk.order(qty=100)
    while not trader.run.over:
        trader.go()
    points = [(point.time, float(point.equity)) for point in desk.equity().points()]
    assert points == [
        (START, 10_000),
        (START + SECOND, 9_900),
        (START + 2 * SECOND, 10_900),
        (START + 3 * SECOND, 10_400),
        (START + 4 * SECOND, 11_900),
    ]
    report = desk.report()
    assert report[:3] == (0, 0, 0.19)
    assert report.max_drawdown == pytest.approx(500 / 10_900, abs=1e-15)
    assert report.final_equity == 11_900


# ------------------------------------------------------------------- what is owed for them


def test_time_stands_still_until_the_events_of_orders_are_acknowledged():
    trader, desk = at_work(day(10, 11, 12))
    assert [message["id"] for message in trader.read()] == ["evt_1"]
    desk.order()
    trader.read()
    trader.ack(1)
    assert trader.kinds() == []
    trader.ack(1, 3, 4)
    assert trader.kinds() == []
    assert desk.now() == START
    trader.ack(2)
    assert trader.kinds() == ["quote", *FILLED]
    trader.ack(3, 4, 5, 6)
    assert trader.kinds() == []
    trader.ack(7)
    assert trader.kinds() == ["quote"]


def test_an_order_after_all_is_acknowledged_holds_the_instant_up_again():
    run = new_run()
    (first, *rest) = (quotes((second, "S:A", 9, 10)) for second in range(3))
    supply(run, first)
    trader, desk = Trader(run, ALL), Desk(run)
    assert trader.kinds() == ["quote"]
    trader.go()  # nothing is left, and the data of what follows is not there yet
    desk.order()
    supply(run, *rest)
    run.tape.end()
    run.turn()
    assert trader.kinds() == ["order"]
    assert trader.go() == ["quote", *FILLED]


def test_an_order_in_the_last_instant_is_owed_before_it_is_over():
    trader, desk = at_work(day(10))
    trader.read()
    desk.order()
    trader.ack(1)
    assert not trader.run.over
    trader.ack(2)
    assert trader.run.over


def test_who_comes_back_gets_the_events_of_orders_byte_for_byte():
    trader, desk = at_work(day(10, 11, 12))
    trader.read()
    desk.order()
    trader.go()
    before = trader.frames[-5:]
    trader.lose()
    trader.come_back()
    trader.read()
    assert trader.frames[-5:] == before
    assert trader.go() == ["quote"]


@pytest.mark.parametrize(
    "numbers",
    [(), (1,), (2,), (1, 1), (2, 2, 3), (99, 0, -1, 1 << 70), (3, 4, 5, 6, 7, 8)],
)
def test_an_ack_that_leaves_an_orders_event_moves_nothing(numbers):
    trader, desk = at_work(day(10, 11, 12))
    trader.read()
    desk.order()
    trader.read()
    for _ in range(3):
        trader.ack(*numbers)
        trader.run.turn()
    assert trader.kinds() == []
    assert desk.now() == START
    assert trader.run.unfinished == 1


def test_what_fills_in_an_instant_is_owed_in_it():
    trader, desk = at_work(day(10, 11, 12))
    trader.read()
    desk.order()
    assert trader.go() == ["quote", *FILLED]
    *most, last = trader.owed
    trader.ack(*most)
    trader.ack(*most)
    assert (trader.kinds(), desk.now()) == ([], START + SECOND)
    trader.ack(last)
    assert trader.kinds() == ["quote"]


def test_who_is_not_subscribed_to_orders_owes_nothing_for_them():
    trader, desk = at_work(day(10, 11, 12), patterns=[("*", "quote")])
    assert trader.kinds() == ["quote"]
    order = desk.order()
    assert trader.go() == ["quote"]
    assert desk.status(order) == "filled"


# ------------------------------------------------------------------- days


def test_a_day_order_expires_before_the_first_event_of_a_later_day():
    rows = quotes((0, "S:A", 9, 10), (DAY - 1, "S:A", 9, 10), (DAY + 5, "S:A", 1, 2))
    trader, desk = at_work(rows)
    trader.read()
    of_the_day = desk.order(type="limit", limit_price=5)
    good = desk.order(type="limit", limit_price=4, time_in_force="gtc")
    assert trader.go() == ["quote"]
    assert trader.go() == ["quote", "order", *FILLED]
    assert (desk.status(of_the_day), desk.status(good)) == ("expired", "filled")
    assert desk.broker.orders.get(of_the_day.id).updated_at == START + (DAY + 5) * SECOND
    assert desk.price(good) == 4


def test_it_expires_by_an_event_of_another_symbol_too_however_many_days_later():
    rows = quotes((0, "S:A", 9, 10), (9 * DAY, "S:B", 1, 2), (9 * DAY + 1, "S:A", 1, 2))
    trader, desk = at_work(rows)
    trader.read()
    order = desk.order(type="limit", limit_price=5)
    assert trader.go() == ["quote", "order"]
    assert desk.status(order) == "expired"
    assert trader.go() == ["quote"]


def test_the_last_bar_of_the_day_is_met_before_its_orders_expire():
    last = (DAY - 60, 100, 103, 98, 101)
    quoted = quotes(
        (DAY - 60, "S:A", 90, 91), (DAY, "S:B", 1, 2)
    )  # the clock alone would expire it
    trader, desk = at_work(quoted, bars(last))
    trader.read()
    market, limit = desk.order(), desk.order(type="limit", limit_price=97)
    assert trader.go() == ["quote", "candle", *FILLED, "order"]
    assert (desk.status(market), desk.price(market)) == ("filled", 100)
    assert desk.status(limit) == "expired"


# ------------------------------------------------------------------- when there is no order


def refused(desk: Desk) -> tuple[str, str]:
    """The codes of an order and of a signal."""
    with pytest.raises(OrderError) as order:
        desk.order()
    with pytest.raises(EventError) as signal:
        desk.signal({"id": "s1", "symbol": "S:A", "action": "BUY"})
    return order.value.code, signal.value.code


def test_a_run_takes_no_order_before_it_has_a_time():
    run = new_run(day(10), clients=2)
    first, desk = Trader(run), Desk(run)
    assert desk.now() == 0
    assert refused(desk) == ("RUN_NOT_BEGUN", "RUN_NOT_BEGUN")
    Trader(run)
    assert first.kinds() == ["quote"]
    assert desk.order().status == "accepted"


def test_a_run_that_waits_for_its_data_takes_none():
    run = new_run()
    Trader(run)
    assert refused(Desk(run)) == ("RUN_NOT_BEGUN", "RUN_NOT_BEGUN")


def test_a_run_that_is_over_takes_none():
    trader, desk = at_work(day(10))
    trader.read()
    trader.go()
    assert refused(desk) == ("RUN_OVER", "RUN_OVER")
    assert desk.report() == (0, 0, 0, 0, 10_000)


def test_while_a_member_is_away_nothing_happens_that_it_would_miss():
    run = new_run(day(10, 11, 12), clients=2)
    stays, goes, desk = Trader(run), Trader(run), Desk(run)
    goes.lose()
    assert refused(desk) == ("RUN_WAITS", "RUN_WAITS")
    goes.come_back()
    desk.order()
    assert stays.kinds() == goes.kinds() == ["quote", "order"]


def test_an_order_that_is_refused_changes_nothing():
    trader, desk = at_work(day(10, 11))
    trader.read()
    for asked in ({"qty": 0}, {"symbol": "S:B"}, {"type": "limit"}, {"side": "hold"}):
        with pytest.raises(OrderError):
            desk.order(**asked)
    assert not desk.traded
    assert trader.kinds() == []
    assert desk.order(qty=1 << 20).status == "rejected"
    assert trader.kinds() == ["order"]
    assert desk.traded


def test_only_what_was_published_is_known():
    rows = quotes((0, "S:A", 9, 10), (1, "S:B", 1, 2))
    run = new_run()
    supply(run, rows)
    trader, desk = Trader(run), Desk(run, symbols=["S:C"])
    market = desk.broker.market
    trader.read()
    assert market.symbols() == ["S:A", "S:C"]
    with pytest.raises(OrderError, match="not known") as caught:
        desk.order(symbol="B")
    assert caught.value.code == "UNKNOWN_SYMBOL"
    assert (market.last("S:B"), market.last("nothing")) == (None, None)
    assert desk.order(symbol="C").code == "NO_PRICE"
    trader.go()
    assert market.symbols() == ["S:A", "S:B", "S:C"]
    assert market.last(market.resolve("B")) == (1, 2)


def test_a_signal_is_an_event_of_the_instant():
    trader, desk = at_work(day(10, 11))
    trader.read()
    with pytest.raises(EventError, match="action"):
        desk.signal({"id": "s1", "symbol": "S:A"})
    assert desk.signal({"id": "s1", "symbol": "S:A", "action": "buy"}) == "evt_2"
    (signal,) = trader.read()
    assert (signal["type"], signal["id"]) == ("signal", "evt_2")
    trader.ack(1)
    assert trader.kinds() == []
    trader.ack(2)
    assert trader.kinds() == ["quote"]


def test_a_desk_that_takes_no_order_changes_no_byte():
    rows = day(*range(10, 40))
    alone = Client(new_run(rows, candles=("1s",)), [("*", "quote"), ("*", "candle@1s")]).play()
    run = new_run(rows, candles=("1s",))
    client = Client(run, [("*", "quote"), ("*", "candle@1s")])
    desk = Desk(run)
    assert client.play() == alone
    assert not desk.traded


# ------------------------------------------------------------------- windows and fleets


def test_with_a_window_an_order_is_of_the_newest_instant():
    trader, desk = at_work(day(10, 11, 12, 13, 14), window=3)
    assert trader.kinds() == ["quote"] * 3
    order = desk.order()
    assert desk.now() == START + 2 * SECOND
    trader.read()
    trader.ack(1)
    assert trader.kinds() == ["quote", *FILLED]
    assert desk.price(order) == 13
    trader.ack(2)
    assert trader.kinds() == ["quote"]
    trader.ack(3)  # its order's event is of the same batch
    assert (trader.kinds(), trader.run.unfinished) == ([], 3)
    trader.ack(4)
    assert trader.run.unfinished == 2


def test_a_fleet_shares_an_account_and_each_is_told_of_all():
    run = new_run(day(10, 11, 12), clients=2)
    ann, bob, desk = Trader(run), Trader(run), Desk(run, shorting=True)
    bought = desk.order(qty=3, strategy_id="ann")
    sold = desk.order("sell", qty=1, strategy_id="bob")
    assert ann.kinds() == bob.kinds() == ["quote", "order", "order"]
    assert ann.go() == []
    # the sale is first, so that the purchase closes a short position and opens a long one
    filled = ["quote", *FILLED, "order", "trade", "position", "position", "account"]
    assert (bob.go(), ann.kinds()) == (filled, filled)
    assert (desk.status(bought), desk.status(sold)) == ("filled", "filled")
    assert desk.broker.ledger.positions["S:A"].qty == 2
    assert {name: float(one.qty) for name, one in desk.broker.ledger.holdings["S:A"].items()} == {
        "ann": 3,
        "bob": -1,
    }


# ------------------------------------------------------------------- large instants


def large(*last: tuple) -> Rows:
    """An instant larger than a socket takes, and what follows."""
    return quotes(*((0, f"S:{number}", 9, 10) for number in range(5000)), *last)


def drain(trader: Trader, portions: int = 1000) -> None:
    """Read what is to come of the instant, without acknowledging it."""
    trader.read()
    while portions:
        portions -= 1
        trader.sink.give(150_000)
        trader.outbox.resume()
        trader.run.turn()
        if not trader.read():
            break


def test_an_order_within_an_instant_is_not_met_by_the_rest_of_it():
    rows = quotes(
        *((0, f"S:{number}", 9, 10) for number in range(5000)),
        *((0, "S:0", 4, 5), (1, "S:0", 6, 7)),
    )
    run = new_run(rows)
    trader, desk = Trader(run, room=100_000), Desk(run)
    assert run.router.last_id < 5000
    order = desk.order(symbol="S:0")
    drain(trader)
    assert (run.half, desk.status(order)) == (False, "accepted")
    kinds = [message["type"] for message in map(orjson.loads, trader.frames)]
    assert kinds == ["quote"] * 5001 + ["order"]
    trader.ack(*range(1, run.router.last_id + 1))
    assert (desk.status(order), desk.price(order)) == ("filled", 7)


def test_when_in_a_large_instant_an_order_comes_changes_no_byte():
    streams = []
    for portions in (0, 1, 3, 1000):
        run = new_run(large((1, "S:0", 6, 7)))
        trader, desk = Trader(run, room=100_000), Desk(run)
        drain(trader, portions)
        assert run.half == (portions < 1000)
        desk.order(symbol="S:0")
        drain(trader)
        trader.ack(*range(1, run.router.last_id + 1))
        drain(trader)
        streams.append(trader.frames)
    assert len(streams[0]) == 5000 + 2 + 4
    assert streams == [streams[0]] * 4


def test_what_is_published_of_an_instant_is_met_before_a_cancel():
    rows = quotes(
        (0, "S:0", 9, 10),
        *((1, f"S:{number}", 4, 5) for number in range(5000)),
    )
    run = new_run(rows)
    trader, desk = Trader(run, room=100_000), Desk(run)
    order = desk.order(symbol="S:0", type="limit", limit_price=6)
    trader.go()
    assert run.half
    assert desk.status(order) == "accepted"
    with pytest.raises(OrderError, match="filled"):
        desk.cancel(order)
    assert desk.status(order) == "filled"


def test_the_rest_of_an_instant_waits_for_who_is_away():
    run = new_run(large((1, "S:A", 1, 2)), clients=2)
    trader, other = Trader(run, room=100_000), Trader(run, [])
    trader.read()
    before = run.router.last_id
    trader.lose()
    run.turn()
    assert (run.half, run.router.last_id) == (True, before)
    trader.come_back()
    run.turn()
    seen = trader.read()
    assert [int(message["id"][4:]) for message in seen] == list(range(1, 5001))
    assert other.kinds() == []


def test_many_fills_of_an_instant_come_in_portions():
    rows = quotes((0, "S:A", 9, 10), (1, "S:A", 9, 10), (2, "S:A", 9, 10))
    run = new_run(rows, outbox_bytes=1 << 18)
    trader, desk = Trader(run, room=50_000), Desk(run, 1_000_000)
    trader.read()
    for _ in range(300):
        desk.order(qty=1)
        trader.sink.give(10_000)
        trader.outbox.resume()
        trader.read()
    drain(trader)
    trader.go()
    assert run.half
    with pytest.raises(OrderError, match="filled"):
        desk.cancel(next(iter(desk.broker.orders)))
    resting = [desk.order(type="limit", limit_price=1) for _ in range(300)]
    drain(trader)
    desk.do(lambda broker, now: broker.cancel_all(now))
    drain(trader)
    assert not run.half
    kinds = [orjson.loads(frame)["type"] for frame in trader.frames]
    assert kinds == ["quote", *["order"] * 300, "quote", *FILLED * 300, *["order"] * 600]
    assert desk.status(resting[-1]) == "canceled"
    assert trader.go() == ["quote"]
    assert trader.outbox.closed is False
