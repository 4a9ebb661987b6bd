"""Rows of the store, and the records they become again."""

from fastrouter.core.event import Candle
from fastrouter.journal.entry import Entry, compact, record_of


def test_an_order_comes_back_as_it_was():
    record = record_of(Entry(7, 3, 1000, "order", "S:é", "main", b'{"qty":"10"}'))
    assert (record.id, record.seq, record.time) == (7, 3, 1000)
    assert (record.kind, record.event_type, record.symbol) == ("order", "order", "S:é")
    assert (record.account, record.payload) == ("main", {"qty": "10"})


def test_a_candle_comes_back_as_it_was():
    record = record_of(Entry(7, 3, 1000, "candle@5m", "S:A", "", b"[1.5,2.0,0.1,1e-9,3.0,60]"))
    assert (record.kind, record.event_type) == ("candle", "candle@5m")
    assert record.payload == Candle(
        "S:A", timeframe="5m", open=1.5, high=2.0, low=0.1, close=1e-9, volume=3.0, time=60
    )


def test_compact_bytes_are_the_same_bytes():
    assert compact(b"[1]") == b"[1]"
