"""Symbols by any of their names."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fastrouter.broker import Prices
from fastrouter.core.event import Candle, Quote
from fastrouter.errors import OrderError


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("S:AAPL", "S:AAPL"),
        ("AAPL", "S:AAPL"),
        ("C:BTCUSD", "C:BTCUSD"),
        ("BTCUSD", "C:BTCUSD"),
        ("BTC/USD", "C:BTCUSD"),
        ("ETHUSDT", "ETHUSDT"),
        ("X:BTC/EUR", "X:BTC/EUR"),
        ("GOLD", "GOLD"),
    ],
)
def test_a_symbol_is_found_with_and_without_its_prefix(asked, found):
    symbols = ["S:AAPL", "C:BTCUSD", "ETHUSDT", "X:BTC/EUR", "GOLD", "S:GOLD"]
    assert Prices(symbols).resolve(asked) == found


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("MSFT", "UNKNOWN_SYMBOL", "symbol 'MSFT' is not known"),
        ("F:AAPL", "UNKNOWN_SYMBOL", "not known"),
        ("BTC", "AMBIGUOUS_SYMBOL", "symbol 'BTC' is any of C:BTC, S:BTC"),
    ],
)
def test_a_symbol_that_is_none_or_several_is_refused(asked, code, said):
    with pytest.raises(OrderError, match=said) as caught:
        Prices(["S:AAPL", "S:BTC", "C:BTC"]).resolve(asked)
    assert caught.value.code == code


def test_last_prices():
    prices = Prices()
    assert prices.last("S:A") is None
    prices.on_quote(Quote("S:A", bid=1.5, ask=0))
    assert prices.last("S:A") == (Decimal("1.5"), None)
    prices.on_bar(Candle("S:A", open=1, high=3, low=1, close=2.25))
    assert prices.last("S:A") == (Decimal("2.25"), Decimal("2.25"))
    assert prices.resolve("A") == "S:A"
