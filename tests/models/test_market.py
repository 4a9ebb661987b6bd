"""Quotes and candles from JSON."""

from __future__ import annotations

import math

import pytest

from fastrouter.core.event import Candle, Quote
from fastrouter.errors import EventError
from fastrouter.models.market import market_event

S = 1_000_000_000
QUOTE = {"symbol": "S:A", "bid": 1.5, "ask": "2.5"}
CANDLE = {"symbol": "S:A", "open": 1, "high": 3, "low": "0.5", "close": 2, "time": 60_000}


def test_a_quote():
    assert market_event("quote", QUOTE, 7) == Quote("S:A", bid=1.5, ask=2.5, time=7)
    said = {**QUOTE, "last": 2, "bid_size": 10, "ask_size": "0", "time": "1970-01-01T00:00:02Z"}
    assert market_event("quote", said, 7) == Quote(
        "S:A", bid=1.5, ask=2.5, last=2.0, bid_size=10, ask_size=0, time=2 * S
    )


def test_a_candle():
    assert market_event("candle", CANDLE, 7) == Candle(
        "S:A", timeframe="1m", open=1, high=3, low=0.5, close=2, time=60 * S
    )
    said = {**CANDLE, "timeframe": "1h", "volume": 5, "closed": False}
    assert market_event("candle", said, 0) == Candle(
        *("S:A",), timeframe="1h", open=1, high=3, low=0.5, close=2, volume=5, time=60 * S,
        closed=False,
    )  # fmt: skip


@pytest.mark.parametrize("value", ["", "x", "1e999", "nan", "inf", math.inf, math.nan, True, []])
@pytest.mark.parametrize(
    ("kind", "field"), [("quote", "bid"), ("quote", "last"), ("candle", "low")]
)
def test_what_is_no_number(kind, field, value):
    payload = {**(QUOTE if kind == "quote" else CANDLE), field: value}
    with pytest.raises(EventError, match=f"^{kind}: {field}"):
        market_event(kind, payload, 0)


@pytest.mark.parametrize("kind", ["quote", "candle"])
@pytest.mark.parametrize("payload", [None, 1, "x", [QUOTE]])
def test_what_is_no_object(kind, payload):
    with pytest.raises(EventError, match=f"^{kind}: payload is .*; allowed: an object"):
        market_event(kind, payload, 0)


def test_a_candle_that_does_not_say_when_it_opened():
    payload = {name: value for name, value in CANDLE.items() if name != "time"}
    with pytest.raises(EventError, match="candle: 'time' is missing"):
        market_event("candle", payload, 0)
