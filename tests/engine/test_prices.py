"""The market as a run has shown it: what is known, and since when."""

from __future__ import annotations

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Candle, Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.engine.prices import RunPrices
from fastrouter.errors import OrderError

from .peer import DIALECT, SECOND


def bar(symbol: str, close: float, timeframe: str = "1m", closed: bool = True) -> Candle:
    return Candle(symbol, timeframe=timeframe, open=1, high=99, low=1, close=close, closed=closed)


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(SECOND), lossless=True, candles=("1s",))


def test_the_newest_value_counts_whatever_it_is(router):
    prices = RunPrices(router)
    assert prices.last("S:A") is None
    router.publish(Quote("S:A", bid=1.5, ask=0))
    assert prices.last("S:A") == (1.5, None)
    router.publish(bar("S:A", 7))
    assert prices.last("S:A") == (7, 7)
    router.publish(bar("S:A", 8, "1h"))
    router.publish(bar("S:A", 9, "5m", closed=False))
    assert prices.last("S:A") == (8, 8)
    router.publish(Quote("S:A", bid=2, ask=3))
    assert prices.last("S:A") == (2, 3)


def test_the_last_quote_is_whole_and_older_than_no_bar(router):
    prices = RunPrices(router)
    assert prices.quote("S:A") is None
    quote = Quote("S:A", bid=1.5, ask=2, bid_size=3, ask_size=4, time=SECOND)
    router.publish(quote)
    assert prices.quote("S:A") == quote
    router.publish(bar("S:A", 7))
    assert prices.quote("S:A") is None


def test_candles_that_were_built_say_nothing_new(router):
    prices = RunPrices(router)
    router.publish(Quote("S:A", bid=2, ask=3, time=SECOND))
    router.publish(Quote("S:B", bid=2, ask=3, time=SECOND))
    router.close_candles(5 * SECOND)
    assert prices.last("S:A") == (2, 3)


def test_a_symbol_is_known_from_its_first_event_on(router):
    prices = RunPrices(router, ["C:GIVEN"])
    router.attach(MemorySink(), DIALECT).subscribe([("S:A", "quote"), ("S:B", "candle@1m")])
    assert prices.symbols() == ["C:GIVEN"]
    assert prices.resolve("GIVEN") == "C:GIVEN"
    router.publish("order", {"id": "o", "symbol": "S:A"})
    with pytest.raises(OrderError, match="not known"):
        prices.resolve("A")
    router.publish(bar("S:B", 1))
    router.publish(Quote("S:A", bid=1, ask=2))
    assert prices.symbols() == ["C:GIVEN", "S:A", "S:B"]
    assert (prices.resolve("S:A"), prices.resolve("B")) == ("S:A", "S:B")
    router.publish(Quote("C:A", bid=1, ask=2))
    with pytest.raises(OrderError, match="any of C:A, S:A"):
        prices.resolve("A")
