"""The market of a few symbols: what is queued of it, against a plain list."""

from __future__ import annotations

import random

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from fastrouter.core.event import Candle, Quote
from fastrouter.core.router import Router
from fastrouter.errors import EventError

SYMBOLS = ("S:A", "S:B", "C:BTCUSD")


def quote(symbol="S:A", bid=100.0, **more) -> Quote:
    return Quote(symbol, **{"bid": bid, "ask": bid + 1, "time": 7, **more})


def candle(symbol="S:A", timeframe="1m", time=0, closed=True, close=2.0) -> Candle:
    return Candle(
        symbol, timeframe=timeframe, time=time, closed=closed, open=1, high=3, low=1, close=close
    )


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(1))


def test_only_what_is_watched_is_queued_and_whole(router):
    router.market.watch("S:B")
    for event in (quote("S:A"), quote("S:B", bid_size=5, ask_size=6, last=3), quote("S:C")):
        router.publish(event)
    assert router.market.pending == 1
    assert router.market.take(10) == [quote("S:B", bid_size=5, ask_size=6, last=3)]
    assert router.market.pending == 0


def test_it_wakes_its_owner_once_until_it_is_empty(router):
    woken = []
    router.market.wake = lambda: woken.append(router.market.pending)
    router.market.watch("S:A")
    for bid in (1.0, 2.0, 3.0):
        router.publish(quote(bid=bid))
    assert woken == [1]
    assert [event.bid for event in router.market.take(2)] == [1, 2]
    router.publish(quote(bid=4.0))
    assert [event.bid for event in router.market.take(9)] == [3, 4]
    router.publish(quote(bid=5.0))
    assert woken == [1, 1]


def test_what_is_watched_no_longer_is_queued_no_longer(router):
    router.market.watch("S:A")
    router.publish(quote())
    router.market.unwatch("S:A")
    router.market.unwatch("S:NEVER")
    router.publish(quote())
    assert len(router.market.take(9)) == 1


def test_a_batch_is_queued_in_order(router):
    router.market.watch("S:A")
    rows = np.zeros(5, QUOTE_DTYPE)
    rows["symbol"] = [b"S:A", b"S:B", b"S:A", b"S:B", b"S:A"]
    rows["bid"] = rows["ask"] = [1, 2, 3, 4, 5]
    router.publish_batch(rows)
    assert [event.bid for event in router.market.take(9)] == [1, 3, 5]


def test_random_traffic_against_a_list(router):
    rng = random.Random(6)
    watched: set[str] = set()
    expected: list[Quote] = []
    taken: list[Quote] = []
    for number in range(3000):
        symbol = rng.choice(SYMBOLS)
        step = rng.random()
        if step < 0.03:
            router.market.watch(symbol)
            watched.add(symbol)
        elif step < 0.05:
            router.market.unwatch(symbol)
            watched.discard(symbol)
        elif step < 0.2:
            taken += router.market.take(rng.randrange(20))
        else:
            event = quote(symbol, float(number), ask_size=rng.random())
            router.publish(event)
            if symbol in watched:
                expected.append(event)
    assert taken + router.market.take(10_000) == expected
    assert len(expected) > 500


# ------------------------------------------------------------------ candles


def test_of_a_symbol_without_quotes_closed_candles_count(router):
    router.market.watch("S:A")
    events = [candle(closed=False), candle(), candle("S:B"), candle(time=60_000_000_000)]
    for event in events:
        router.publish(event)
    assert router.market.take(9) == [events[1], events[3]]


def test_candles_that_came_before_it_was_watched_make_no_difference(router):
    router.publish(candle())
    router.market.watch("S:A")
    router.publish(candle(time=60_000_000_000))
    assert len(router.market.take(9)) == 1
    router.market.unwatch("S:A")
    router.publish(candle(time=120_000_000_000))
    assert router.market.take(9) == []


def test_only_the_shortest_timeframe_counts(router):
    router.market.watch("S:A")
    for timeframe in ("5m", "1m", "5m", "1h"):
        router.publish(candle(timeframe=timeframe))
    assert [event.timeframe for event in router.market.take(9)] == ["5m", "1m"]


def test_quotes_make_candles_worthless(router):
    router.market.watch("S:A")
    router.publish(quote())
    router.publish(candle())
    assert router.market.take(9) == [quote()]


def test_candles_that_are_built_of_quotes_do_not_count():
    router = Router(clock=Clock(1), candles=("1m",))
    router.market.watch("S:A")
    for time in (1, 70_000_000_000):
        router.publish(quote(time=time))
    assert [type(event) for event in router.market.take(9)] == [Quote, Quote]


def test_a_batch_of_candles_is_queued(router):
    router.market.watch("S:A")
    rows = np.zeros(2, CANDLE_DTYPE)
    rows["symbol"], rows["timeframe"], rows["closed"] = b"S:A", b"1m", 1
    rows["time"] = [0, 60_000_000_000]
    router.publish_batch(rows)
    assert [event.time for event in router.market.take(9)] == [0, 60_000_000_000]


# ------------------------------------------------------------------ what is known


def test_last_prices(router):
    market = router.market
    assert market.last("S:A") is None
    router.publish(candle(timeframe="1h", close=7.0))
    assert market.last("S:A") == (7, 7)
    router.publish(candle(timeframe="1m", close=8.0))
    assert market.last("S:A") == (8, 8)
    router.publish(quote(bid=9.5))
    assert market.last("S:A") == (9.5, 10.5)
    market.watch("S:B")
    assert market.last("S:B") is None


def test_the_last_quote_is_the_one_that_is_taken(router):
    market = router.market
    assert market.quote("S:A") is None
    router.publish(candle())
    market.watch("S:A")
    assert market.quote("S:A") is None
    router.publish(quote(bid=9.5, bid_size=3, ask_size=4))
    assert market.take(9) == [market.quote("S:A")]
    assert (market.quote("S:A").bid_size, market.quote("S:A").ask_size) == (3, 4)
    router.publish(quote(bid=9.5, bid_size=3, ask_size=4, time=7))
    assert market.take(9) == [market.quote("S:A")]


def test_names_of_topics_with_a_market(router):
    router.publish(quote("S:B"))
    router.publish("order", {"symbol": "S:ORDERED"})
    names, following = router.market.names(0)
    assert names == ["S:B"]
    router.publish(candle("S:A"))
    router.market.watch("C:BTCUSD")
    assert router.market.names(following)[0] == ["S:A", "C:BTCUSD"]
    assert router.market.names(router.market.names(0)[1])[0] == []


def test_a_symbol_that_cannot_be_is_refused(router):
    with pytest.raises(EventError, match="allowed"):
        router.market.watch("no blanks")
