"""The router's market as a broker asks about it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Last
from fastrouter.control.live_market import Bar, LiveMarket
from fastrouter.core.clock import Clock
from fastrouter.core.event import Candle, Quote
from fastrouter.core.router import Router
from fastrouter.errors import OrderError

MINUTE = 60_000_000_000


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(1))


@pytest.fixture
def market(router) -> LiveMarket:
    return LiveMarket(router.market)


def candle(time: int, symbol="S:A", **values) -> Candle:
    return Candle(symbol, time=time, **{"open": 1, "high": 3, "low": 1, "close": 2, **values})


def test_symbols_are_learned_as_they_come(router, market):
    assert market.symbols() == []
    router.publish(Quote("S:B", bid=1, ask=2))
    router.publish(candle(0))
    assert market.symbols() == ["S:A", "S:B"]
    router.publish(Quote("C:A", bid=1, ask=2))
    assert market.symbols() == ["C:A", "S:A", "S:B"]


@pytest.mark.parametrize("name", ["C:BTCUSD", "BTCUSD", "BTC/USD", "C:BTC/USD"])
def test_a_symbol_by_its_names(router, market, name):
    router.publish(Quote("C:BTCUSD", bid=1, ask=2))
    assert market.resolve(name) == "C:BTCUSD"


def test_names_that_are_none_or_several(router, market):
    with pytest.raises(OrderError, match="not known") as caught:
        market.resolve("A")
    assert caught.value.code == "UNKNOWN_SYMBOL"
    for symbol in ("S:A", "C:A"):
        router.publish(Quote(symbol, bid=1, ask=2))
    with pytest.raises(OrderError, match="any of C:A, S:A") as caught:
        market.resolve("A")
    assert caught.value.code == "AMBIGUOUS_SYMBOL"


def test_what_was_ordered_is_found_unless_another_is_quoted(router, market):
    market.ordered(["S:A", "S:A"])
    assert market.resolve("A") == market.resolve("S:A") == "S:A"
    assert market.symbols() == []
    router.publish(Quote("C:A", bid=1, ask=2))
    assert market.resolve("A") == "C:A"


def test_last_prices_are_exact(router, market):
    assert market.last("S:A") is None
    router.publish(Quote("S:A", bid=0.1, ask=0))
    assert market.last("S:A") == Last(Decimal("0.1"), None)


def test_the_last_quote_is_whole(router, market):
    router.publish(candle(0))
    assert market.quote("S:A") is None
    quote = Quote("S:A", bid=1, ask=2, bid_size=3, ask_size=4, time=5)
    router.publish(quote)
    assert market.quote("S:A") == quote


def test_a_bar_of_now_opened_when_it_says():
    now = 1_700_000_000 * 10**9
    opened = now - MINUTE - 1000
    bar = Bar.of(candle(opened, volume=5), before=opened - 30 * MINUTE, now=now)
    assert bar == Bar("S:A", opened, 1, 3, 1, 2, 5)


def test_a_bar_of_an_old_file_opened_after_the_one_before():
    now = 1_700_000_000 * 10**9
    assert Bar.of(candle(MINUTE), before=now - 7, now=now).time == now - 7
