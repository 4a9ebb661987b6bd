"""Rows of numpy arrays, published in one call."""

from __future__ import annotations

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
from fastrouter.core.event import Quote
from fastrouter.core.router import Router
from fastrouter.errors import EventError

from .peer import START, Peer, body, drain


class TestBatch:
    def rows(self, count: int) -> np.ndarray:
        rows = np.zeros(count, QUOTE_DTYPE)
        rows["symbol"] = [f"S:{i % 3}" for i in range(count)]
        rows["bid"] = np.arange(count)
        rows["ask"] = rows["bid"] + 1
        rows["time"][1:] = START + 1
        return rows

    def test_equals_single_publishes(self, router):
        other = Router(clock=Clock(START))
        one, two = Peer(router, ("*", "quote")), Peer(other, ("*", "quote"))
        rows = self.rows(10)
        router.publish_batch(rows)
        for row in rows:
            prices = {n: float(row[n]) for n in ("bid", "ask", "last", "bid_size", "ask_size")}
            other.publish(Quote(row["symbol"].decode(), **prices, time=int(row["time"])))
        drain(router)
        drain(other)
        assert one.read() == two.read() != []

    def test_candles(self, router):
        peer = Peer(router, ("*", "candle@5m"))
        rows = np.zeros(2, CANDLE_DTYPE)
        rows["symbol"], rows["timeframe"], rows["time"] = "S:A", "5m", START
        rows["close"], rows["closed"] = [1.5, 2.5], True
        router.publish_batch(rows)
        drain(router)
        got = peer.read()
        assert [body(m)["close"] for m in got] == ["1.5", "2.5"]
        assert got[0]["timestamp"] == "2025-01-01T00:05:00.000000Z"

    def test_a_bad_row_is_named_and_nothing_is_published(self, router):
        rows = self.rows(10)
        rows["ask"][7] = np.nan
        with pytest.raises(EventError, match="row 7: quote: ask is nan"):
            router.publish_batch(rows)
        rows = np.zeros(3, CANDLE_DTYPE)
        rows["symbol"] = "S:A"
        rows["timeframe"] = ["1m", "2x", "1m"]
        with pytest.raises(EventError, match="row 1: timeframe"):
            router.publish_batch(rows)
        assert router.counters().published == 0

    def test_other_arrays(self, router):
        for array in ([1], None, np.zeros(3), self.rows(9)[::2], self.rows(4).reshape(2, 2)):
            with pytest.raises(EventError):
                router.publish_batch(array)
