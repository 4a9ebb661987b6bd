"""Each rule of filling, by worked examples."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from .desk import SECOND, Desk, numbers

LIMIT = {"type": "limit", "limit_price": 100}
STOP = {"type": "stop", "stop_price": 100}
#: a buy: triggered at 100, not above 101
BUY_STOP_LIMIT = {"type": "stop_limit", "stop_price": 100, "limit_price": 101}
SELL_STOP_LIMIT = {"type": "stop_limit", "stop_price": 100, "limit_price": 99}

#: side, order, quotes (bid, ask) after it, and where ten are filled at each (None: not)
QUOTES = [
    ("buy", {}, [(99, 101)], [101]),
    ("buy", {}, [(99, 0), (99, 102)], [None, 102]),
    ("sell", {}, [(99, 101)], [99]),
    # a limit: at arrival the price, when it rested its limit
    ("buy", LIMIT, [(97, 98)], [98]),
    ("buy", LIMIT, [(99, 100)], [100]),
    ("buy", LIMIT, [(100, 101), (97, 98)], [None, 100]),
    ("buy", LIMIT, [(100, 100.01), (99, 100)], [None, 100]),
    ("buy", LIMIT, [(97, 0), (97, 98)], [None, 98]),  # what has no ask meets no buy
    ("sell", LIMIT, [(102, 103)], [102]),
    ("sell", LIMIT, [(99, 100), (102, 103)], [None, 100]),
    ("sell", LIMIT, [(99.99, 105), (100, 106)], [None, 100]),
    # a stop: touched by the side it trades at, then at the market
    ("buy", STOP, [(98, 99), (99, 100)], [None, 100]),
    ("buy", STOP, [(98, 99), (104, 105)], [None, 105]),
    ("buy", STOP, [(104, 105)], [105]),
    ("sell", STOP, [(101, 102), (100, 101)], [None, 100]),
    ("sell", STOP, [(101, 102), (95, 96)], [None, 95]),
    ("sell", STOP, [(101, 90)], [None]),
    # a stop limit: triggered, then a limit that arrives
    ("buy", BUY_STOP_LIMIT, [(98, 99), (100, 100.5)], [None, 100.5]),
    ("buy", BUY_STOP_LIMIT, [(98, 99), (102, 103), (100, 102), (98, 99)], [None] * 3 + [101]),
    ("sell", SELL_STOP_LIMIT, [(101, 102), (99.5, 100)], [None, 99.5]),
    ("sell", SELL_STOP_LIMIT, [(101, 102), (97, 98), (99.25, 100)], [None, None, 99]),
]

#: the same with bars (open, high, low, close)
BARS = [
    ("buy", {}, [(100, 103, 98, 101)], [100]),
    ("sell", {}, [(100, 103, 98, 101)], [100]),
    ("buy", LIMIT, [(101, 103, 100, 102)], [100]),
    ("buy", LIMIT, [(101, 103, 100.01, 102)], [None]),
    ("buy", LIMIT, [(98, 103, 97, 102)], [98]),
    ("buy", LIMIT, [(102, 103, 101, 102), (98, 99, 97, 98)], [None, 98]),
    ("sell", LIMIT, [(99, 100, 98, 99)], [100]),
    ("sell", LIMIT, [(104, 105, 98, 99)], [104]),
    ("buy", STOP, [(99, 101, 98, 100)], [100]),
    ("buy", STOP, [(99, 99.99, 98, 99)], [None]),
    ("buy", STOP, [(103, 104, 102, 103)], [103]),  # a gap
    ("sell", STOP, [(101, 102, 99, 101)], [100]),
    ("sell", STOP, [(97, 98, 96, 97)], [97]),
    ("buy", BUY_STOP_LIMIT, [(99, 102, 98, 99)], [100]),
    ("buy", BUY_STOP_LIMIT, [(102, 104, 98, 99), (102, 103, 100, 101)], [None, 101]),
    ("buy", BUY_STOP_LIMIT, [(102, 104, 98, 99), (99, 103, 99, 101)], [None, 99]),
    ("sell", SELL_STOP_LIMIT, [(101, 102, 99, 101)], [100]),
    ("sell", SELL_STOP_LIMIT, [(98, 101, 97, 98), (98, 99, 97, 98)], [None, 99]),
]


def expected(price):
    return [] if price is None else numbers((10, price))


def desk(side, **rules):
    """At 99.5; something to sell for those who sell."""
    made = Desk(cash=100_000, **rules)
    made.quote(99, 100)
    if side == "sell":
        made.buys()
    return made


@pytest.mark.parametrize(("side", "fields", "quotes", "prices"), QUOTES)
def test_where_quotes_fill(side, fields, quotes, prices):
    made = desk(side)
    order = made.order(side, **fields)
    for (bid, ask), price in zip(quotes, prices, strict=True):
        assert made.quote(bid, ask) == expected(price)
    assert made.get(order).status == ("new" if prices[-1] is None else "filled")


@pytest.mark.parametrize(("side", "fields", "bars", "prices"), BARS)
def test_where_bars_fill(side, fields, bars, prices):
    made = desk(side)
    made.order(side, **fields)
    for bar, price in zip(bars, prices, strict=True):
        assert made.bar(*bar) == expected(price)


def test_nothing_fills_at_what_was_known_at_submission():
    made = Desk()
    made.quote(99, 100)
    made.order()
    assert made.quote(99, 100, now=made.now) == []
    assert made.quote(99, 101, now=made.now) == []
    assert made.quote(99, 102) == numbers((10, 102))


def test_a_bar_that_opened_before_the_order_tells_nothing():
    made = Desk()
    made.bar(100, 101, 99, 100)
    made.now += SECOND // 2
    order = made.order()
    assert made.bar(90, 101, 89, 100, time=made.now - 1) == []
    assert made.get(order).status == "accepted"
    assert made.bar(101, 102, 99, 100) == numbers((10, 101))


def test_a_bar_that_is_not_closed_is_none():
    made = Desk()
    made.bar(100, 101, 99, 100)
    made.order()
    assert made.bar(100, 101, 99, 100, closed=False) == []


def test_the_quoted_size_is_shared_by_price_then_time():
    made = Desk(cash=100_000)
    made.quote(98, 99)
    low = made.order(qty=5, type="limit", limit_price=99)
    first = made.order(qty=5, type="limit", limit_price=100)
    second = made.order(qty=5, type="limit", limit_price=100)
    market = made.order(qty=5)
    assert made.quote(97, 98, ask_size=12) == numbers((5, 98), (5, 98), (2, 98))
    assert [made.get(o).filled_qty for o in (low, first, second, market)] == [0, 5, 2, 5]
    assert made.quote(97, 98, ask_size=4.5) == numbers((3, 100), (1.5, 99))
    assert made.get(low).status == "partially_filled"
    assert made.quote(97, 98) == numbers((3.5, 99))
    assert made.get(second).filled_avg_price == Decimal("99.2")


def test_a_triggered_stop_goes_on_as_a_market_order():
    made = Desk(cash=100_000)
    made.quote(98, 99)
    order = made.order(**STOP)
    assert made.quote(100, 101, ask_size=4) == numbers((4, 101))
    assert made.quote(95, 96) == numbers((6, 96))
    assert made.get(order).filled_avg_price == 98


@pytest.mark.parametrize(
    ("participation", "volume", "filled"),
    [(None, 5, 10), ("0.1", 50, 5), ("0.1", 1000, 10), ("0.5", 0, 10)],
)
def test_a_bar_fills_whole_or_its_part(participation, volume, filled):
    made = Desk(participation=participation and Decimal(participation))
    made.bar(100, 101, 99, 100)
    made.order()
    assert made.bar(100, 101, 99, 100, volume=volume) == numbers((filled, 100))


@pytest.mark.parametrize(
    ("fields", "ask", "size", "filled", "status"),
    [
        ({"time_in_force": "ioc"}, 100, 4, 4, "canceled"),
        ({"time_in_force": "ioc"}, 100, 10, 10, "filled"),
        ({"time_in_force": "fok"}, 100, 4, 0, "canceled"),
        ({"time_in_force": "fok"}, 100, 10, 10, "filled"),
        ({"time_in_force": "ioc", **LIMIT}, 101, 10, 0, "canceled"),
        ({"time_in_force": "fok", **LIMIT}, 100, 0, 10, "filled"),
        ({"time_in_force": "ioc", **STOP}, 99.5, 10, 0, "new"),
        ({"time_in_force": "ioc", **STOP}, 101, 4, 4, "canceled"),
        ({"time_in_force": "fok", **STOP}, 101, 4, 0, "canceled"),
        ({"time_in_force": "fok", **BUY_STOP_LIMIT}, 102, 10, 0, "canceled"),
    ],
)
def test_at_once_or_not_at_all(fields, ask, size, filled, status):
    made = Desk()
    made.quote(98, 99)
    order = made.order(**fields)
    assert made.quote(98, 0) == []
    made.quote(98, ask, ask_size=size)
    order = made.get(order)
    assert (order.filled_qty, order.status) == (filled, status)
    if status == "canceled":
        assert order.code == "TIME_IN_FORCE"
        assert f"{10 - filled} could not be filled" in order.reason


def test_an_order_by_notional_buys_what_it_comes_to_at_its_first_price():
    made = Desk(cash=1000)
    made.quote(2, 3)
    order = made.order(notional=1000)
    assert made.broker.buying_power == 0
    assert made.quote(6, 7) == numbers(("142.857142857", 7))
    assert made.get(order).qty == Decimal("142.857142857")
    assert made.broker.ledger.account.cash == Decimal("0.000000001")


def test_an_order_by_notional_sells_no_more_than_there_is():
    made = Desk(cash=1000)
    made.quote(100, 100)
    made.buys(qty=10)
    made.order("sell", qty=4, type="limit", limit_price=500)
    made.order("sell", notional=500)
    assert made.quote(50, 51) == numbers((6, 50))


def test_sells_come_before_buys():
    """What the sell brings pays for what the buy costs more than was reserved."""
    made = Desk(cash=2000)
    made.quote(100, 100)
    made.buys(qty=10)
    buy = made.order(qty=10)
    made.order("sell", qty=5)
    assert made.quote(110, 120) == numbers((5, 110), (10, 120))
    assert made.get(buy).status == "filled"


@pytest.mark.parametrize("price", [0, -1, 1e12, 5e-324, float("inf"), float("nan")])
def test_what_is_no_price_fills_nothing(price):
    made = Desk()
    made.quote(99, 100)
    made.order()
    made.order(**LIMIT)
    quote = SimpleNamespace(symbol="S:AAPL", bid=price, ask=price, bid_size=0.0, ask_size=0.0)
    assert not made.broker.on_quote(quote, made.now + 1)
    ohlc = dict.fromkeys(("open", "high", "low", "close"), price)
    bar = SimpleNamespace(symbol="S:AAPL", time=made.now, closed=True, volume=0.0, **ohlc)
    assert not made.broker.on_bar(bar, made.now + 2)


@pytest.mark.parametrize(("ask", "quantity"), [(8, 125), (12.5, 80)])
def test_an_order_by_notional_keeps_to_its_sum_in_parts(ask, quantity):
    made = Desk(cash=1000)
    made.quote(9, 10)
    order = made.order(notional=1000)
    assert made.quote(ask, ask, ask_size=10) == numbers((10, ask))
    assert made.broker.buying_power == 0
    assert made.quote(ask, ask) == numbers((quantity - 10, ask))
    assert made.get(order).filled_value == 1000
