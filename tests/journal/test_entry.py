"""Entries and their two ways: through the spool, and back to a record."""

import tracemalloc

import pytest

from fastrouter import Router
from fastrouter.core.event import Candle
from fastrouter.core.record import Record
from fastrouter.journal.entry import encode, entry_of, parse, record_of

CANDLE = Candle("S:A", timeframe="5m", open=1.5, high=2.0, low=0.1, close=1e-9, volume=3.0,
                time=60_000_000_000)  # fmt: skip


def record(kind="order", payload=None, *, event_type=None, symbol="S:é", account="main"):
    return Record(kind=kind, event_type=event_type or kind, symbol=symbol, account=account,
                  payload=payload, id=7, seq=3, time=1_000)  # fmt: skip


def fields(record):
    return (record.id, record.seq, record.time, record.kind, record.event_type, record.symbol,
            record.account, record.payload)  # fmt: skip


@pytest.mark.parametrize(
    "one",
    [
        record(payload={"event": "ORDER_FILLED", "qty": "10", "deep": [{"x": None}, 1.5, True]}),
        record(payload=[]),
        record("signal", {"text": 'quote " and \\ and \0'}, account=""),
        record("candle", CANDLE, event_type="candle@5m", symbol="S:A", account=""),
    ],
)
def test_a_record_comes_back_as_it_was(one):
    entry = entry_of(one)
    assert parse(encode(entry)) == entry
    assert fields(record_of(entry)) == fields(one)
    assert fields(record_of(parse(encode(entry)))) == fields(one)


def test_what_happens_to_the_payload_afterwards_changes_nothing():
    payload = {"qty": "10"}
    entry = entry_of(record(payload=payload))
    payload["qty"] = "11"
    assert record_of(entry).payload == {"qty": "10"}


def test_an_entry_costs_about_what_the_tail_counts_for_it():
    router = Router()
    tracemalloc.start()
    for number in range(1000):
        router.publish("order", {"symbol": "S:A", "number": number})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * router.journal.tail.bytes
    router.journal.close()
