"""Random orders in a run, against a naive simulation of the stated rules in numpy and floats."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple

import numpy as np
import orjson
import pytest

from fastrouter.broker import Commission
from fastrouter.core.dtypes import Rows
from fastrouter.core.leaves import parse_iso8601
from fastrouter.engine.report import Filled
from fastrouter.engine.run import Run

from .peer import SECOND, START, new_run
from .test_desk import ALL, Desk, Trader, bars, quotes, supply
from .test_report import lots

CASH = 1_000_000
SYMBOLS = ("S:P", "S:Q", "S:R")  # the last one has bars
COMMISSION = {"per_order": 1, "percent": "0.5"}


class Event(NamedTuple):
    """A quote, or a bar that closed."""

    time: int  # s
    symbol: str
    opened: int  # s; of a bar
    prices: tuple[float, ...]  # bid, ask; or open, high, low, close


class Asked(NamedTuple):
    """An order, and at which instant it is sent."""

    time: int
    symbol: str
    side: str
    qty: int
    limit: float | None


class Fill(NamedTuple):
    time: int
    number: int  # of the order
    price: float


def market(random: Random) -> tuple[list[Rows], list[Event]]:
    """Two symbols of quotes, several an instant, and one of bars; files, and the same in time."""
    events, rows, price = [], [], 100.0
    for second in range(0, 1200, 7):
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            price = round(price + random.choice((-1, -0.5, 0, 0.25, 1)), 2)
            symbol = random.choice(("S:P", "S:Q"))
            rows.append((second, symbol, price, price + 0.5))
            events.append(Event(second, symbol, second, (price, price + 0.5)))
    candles, price = [], 50.0
    for opened in range(0, 1140, 60):
        open, close = price + random.choice((-1, 0, 0.5)), price + random.choice((-2, 0, 2))
        high, low = max(open, close) + 1, min(open, close) - 1
        candles.append((opened, open, high, low, close))
        events.append(Event(opened + 60, "S:R", opened, (open, high, low, close)))
        price = close
    events.sort(key=lambda event: event.time)  # quotes before bars: the order of the files
    return [quotes(*rows), bars(*candles, symbol="S:R")], events


def plan(random: Random, events: list[Event]) -> list[Asked]:
    seen: dict[str, float] = {}
    asked = []
    times = sorted({event.time for event in events})
    for time in times:
        for event in events:
            if event.time == time:
                seen[event.symbol] = event.prices[-1]
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            symbol = random.choice(sorted(seen))
            limit = None if random.random() < 0.5 else seen[symbol] + random.randrange(-3, 4)
            side, qty = random.choice(("buy", "sell")), random.randrange(1, 9)
            asked.append(Asked(time, symbol, side, qty, limit))
    return asked


# ------------------------------------------------------------------- the naive simulation


def fill_of(order: Asked, number: int, events: list[Event]) -> Fill | None:
    """Look through all that comes after it."""
    buy, first = order.side == "buy", True
    for event in events:
        if event.symbol != order.symbol or event.time <= order.time or event.opened < order.time:
            continue
        price = price_of(order, event, buy, first)
        if price is not None:
            return Fill(event.time, number, price)
        first = False
    return None


def price_of(order: Asked, event: Event, buy: bool, first: bool) -> float | None:
    limit = order.limit
    if len(event.prices) == 2:
        at = event.prices[1 if buy else 0]
        if limit is None or (at <= limit if buy else at >= limit):
            return at if first or limit is None else limit
        return None
    open, high, low, _ = event.prices
    if limit is None or (open <= limit if buy else open >= limit):
        return open
    return limit if (low <= limit if buy else high >= limit) else None


def equities(orders: list[Asked], fills: list[Fill], events: list[Event]) -> np.ndarray:
    """Equity at the end of each instant, of all symbols."""
    times = np.array(sorted({event.time for event in events}))
    equity = np.full(len(times), float(CASH))
    for symbol in SYMBOLS:
        mine = [fill for fill in fills if orders[fill.number].symbol == symbol]
        units = np.array([signed(orders[fill.number]) for fill in mine], float)
        prices = np.array([fill.price for fill in mine])
        moves = -units * prices - (1 + np.abs(units) * prices * 0.005)
        when = np.array([fill.time for fill in mine])
        held = np.array([units[when <= time].sum() for time in times])
        equity += np.array([moves[when <= time].sum() for time in times])
        equity += np.where(held == 0, 0, held * marks(symbol, times, held, events))
    return equity


def profits(trades: list[dict]) -> list[float]:
    """Of the trades from flat to flat, in the order they were told."""
    found: list[float] = []
    for symbol in SYMBOLS:
        fills = []
        for trade in trades:
            if trade["symbol"] == symbol:
                units = Decimal(trade["executed_quantity"])
                units = units if trade["side"] == "BUY" else -units
                price, fee = Decimal(trade["executed_price"]), Decimal(trade["commission"])
                fills.append(Filled(units, price, fee))
        found += lots(fills)[0] if fills else []
    return found


def signed(order: Asked) -> int:
    return order.qty if order.side == "buy" else -order.qty


def marks(symbol: str, times: np.ndarray, held: np.ndarray, events: list[Event]) -> np.ndarray:
    """What a unit could be closed at by the newest event up to each time."""
    found = np.zeros(len(times))
    for place, (time, quantity) in enumerate(zip(times, held, strict=True)):
        known = [event.prices for event in events if event.symbol == symbol and event.time <= time]
        if known:
            prices = known[-1]
            found[place] = prices[-1] if len(prices) > 2 else prices[0 if quantity > 0 else 1]
    return found


# ------------------------------------------------------------------- the run


class Played(NamedTuple):
    desk: Desk
    traders: list[Trader]
    accepted: list[tuple[str, int]]  # the orders' ids; the newest event's id when each was taken
    curve: dict[int, float]


def play(
    random: Random,
    files: list[Rows],
    asked: list[Asked],
    patterns: Sequence[list[tuple[str, str]]] = (ALL,),
    losses: bool = False,
) -> Played:
    """Clients that order as planned, before any of them acknowledges, bit by bit."""
    run: Run = new_run(clients=len(patterns))
    supply(run, *files)
    run.tape.end()
    traders = [Trader(run, wanted) for wanted in patterns]
    desk = Desk(run, CASH, shorting=True, commission=Commission(COMMISSION))
    played = Played(desk, traders, [], {})
    left = list(asked)
    while not run.over:
        now = (desk.now() - START) // SECOND
        while left and left[0].time <= now:
            newest = run.router.last_id
            played.accepted.append((submitted(desk, left.pop(0)), newest))
        played.curve[now] = float(desk.broker.equity)
        trader = random.choice(traders)
        if losses and random.random() < 0.1:
            trader.lose()
            trader.come_back()
            trader.owed = []
        trader.read()
        random.shuffle(trader.owed)
        count = random.randrange(len(trader.owed) + 1)
        some, trader.owed = trader.owed[:count], trader.owed[count:]
        trader.ack(*some)
    for trader in traders:
        trader.read()
    return played


def submitted(desk: Desk, order: Asked) -> str:
    fields = {} if order.limit is None else {"type": "limit", "limit_price": order.limit}
    made = desk.order(order.side, order.qty, order.symbol, time_in_force="gtc", **fields)
    assert made.status == "accepted"
    return made.id


@pytest.mark.parametrize("seed", range(25))
def test_random_orders_come_to_what_the_rules_say(seed):
    random = Random(seed)
    files, events = market(random)
    asked = plan(random, events)
    played = play(random, files, asked)
    expected = [
        fill for number, order in enumerate(asked) if (fill := fill_of(order, number, events))
    ]
    numbers = {order_id: number for number, (order_id, _) in enumerate(played.accepted)}
    messages = [orjson.loads(frame) for frame in played.traders[0].frames]
    trades = [message for message in messages if message["type"] == "trade"]
    found = [
        Fill(
            (parse_iso8601(trade["timestamp"]) - START) // SECOND,
            numbers[trade["trade"]["order_id"]],
            float(trade["trade"]["executed_price"]),
        )
        for trade in trades
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) > 20
    equity = equities(asked, expected, events)
    times = sorted({event.time for event in events})
    assert list(played.curve) == times
    assert list(played.curve.values()) == pytest.approx(equity, abs=1e-6)
    report, made = played.desk.report(), profits([trade["trade"] for trade in trades])
    assert report.total_trades == len(made)
    assert report.win_rate == np.mean(np.array(made) > 0)
    falls = 1 - equity / np.maximum.accumulate(equity)
    assert report.max_drawdown == pytest.approx(falls.max(), abs=1e-12)
    assert report.final_equity == pytest.approx(equity[-1], abs=1e-6)
    assert report.total_return == pytest.approx(equity[-1] / CASH - 1, abs=1e-12)
    look_back(played, messages)


def look_back(played: Played, messages: list[dict]) -> None:
    """No fill has a price of an event that was published before its order was taken."""
    taken = dict(played.accepted)
    newest: dict[str, tuple[int, str]] = {}
    checked = 0
    for message in messages:
        number = int(message["id"][4:])
        if message["type"] in ("quote", "candle"):
            body = message.get("quote") or message.get("bar") or message["candle"]
            newest[body["symbol"]] = (number, message["timestamp"])
        elif message["type"] == "trade":
            trade = message["trade"]
            met_by, when = newest[trade["symbol"]]
            assert taken[trade["order_id"]] < met_by < number
            assert when == message["timestamp"]
            checked += 1
    assert checked


FLEET = (ALL, [("*", "quote"), ("*", "order")], [("S:P", "quote"), ("S:*", "trade")], ALL)


@pytest.mark.parametrize("seed", range(10))
def test_the_same_orders_are_the_same_bytes_whatever_the_clients_do(seed):
    random = Random(seed)
    files, events = market(random)
    asked = plan(random, events)
    plain = play(random, files, asked)
    again = play(random, files, asked, FLEET, losses=True)
    assert [one for one, _ in again.accepted] == [one for one, _ in plain.accepted]
    assert again.desk.report() == plain.desk.report()
    assert again.desk.equity().points() == plain.desk.equity().points()
    known = set(plain.traders[0].frames)
    for trader, wanted in zip(again.traders, FLEET, strict=True):
        got = sorted(set(trader.frames), key=number_of)
        assert known.issuperset(got)
        assert len(got) == len(known) if wanted is ALL else 0 < len(got) < len(known)
    assert sorted(set(again.traders[0].frames), key=number_of) == plain.traders[0].frames


def number_of(frame: bytes) -> int:
    return int(orjson.loads(frame)["id"][4:])
