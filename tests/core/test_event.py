"""Quotes, candles and events as values."""

from __future__ import annotations

import pickle

import pytest

from fastrouter.core.event import Candle, Event, Quote
from fastrouter.errors import EventError

QUOTE = Quote("S:AAPL", bid=150.25, ask=150.27, last=150.26, bid_size=100, ask_size=200, time=5)
CANDLE = Candle("C:X", timeframe="5m", open=1, high=4, low=0.5, close=2, volume=9, time=7)


@pytest.mark.parametrize(
    ("bid", "ask", "mid"),
    [
        (1.1212, 1.12172, 1.12146),
        (150.25, 150.28, 150.265),
        (0.1, 0.2, 0.15),
        (67500.25, 67500.75, 67500.5),
        (1e300, 1.5e300, 1.25e300),
        (-2.0, -1.0, -1.5),
    ],
)
def test_last_defaults_to_the_mid(bid, ask, mid):
    assert Quote("S:A", bid=bid, ask=ask).last == mid


def test_the_middle_of_the_largest_doubles_is_finite():
    assert Quote("S:A", bid=1.7e308, ask=1.7e308).last == 1.7e308


@pytest.mark.parametrize("event", [QUOTE, CANDLE])
def test_equal_by_value_hashable_and_picklable(event):
    again = pickle.loads(pickle.dumps(event))
    assert again == event
    assert hash(again) == hash(event)
    assert event != Quote("S:B", bid=1, ask=2)
    assert event != 5


@pytest.mark.parametrize("event", [QUOTE, CANDLE])
def test_repr_says_the_values(event):
    assert eval(repr(event)) == event


@pytest.mark.parametrize(
    ("event", "name"), [(QUOTE, "bid"), (QUOTE, "symbol"), (CANDLE, "close"), (CANDLE, "closed")]
)
def test_it_does_not_change(event, name):
    with pytest.raises(AttributeError):
        setattr(event, name, 1)


def test_an_event_of_another_kind():
    event = Event("order", {"id": 1}, symbol="S:A", time=3)
    assert (event.kind, event.payload, event.symbol, event.time) == ("order", {"id": 1}, "S:A", 3)
    assert "order" in repr(event)


@pytest.mark.parametrize("build", [
    lambda: Quote(5, bid=1, ask=2),
    lambda: Quote(None, bid=1, ask=2),
    lambda: Quote("S:A", bid="x", ask=2),
    lambda: Quote("S:A", bid=1),
    lambda: Candle("S:A", timeframe=5, open=1, high=1, low=1, close=1),
    lambda: Event(5, {}),
])  # fmt: skip
def test_wrong_types(build):
    with pytest.raises(TypeError):
        build()


def test_event_error_is_a_value_error():
    with pytest.raises(ValueError, match="ask is inf") as caught:
        Quote("S:A", bid=1, ask=float("inf"))
    assert isinstance(caught.value, EventError)
    assert caught.value.code == "INVALID_EVENT"
