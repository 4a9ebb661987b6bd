"""What is recorded of a stream, when, and what is not."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE
from fastrouter.core.event import Candle, Event
from fastrouter.core.kinds import DEFAULT_ACCOUNT
from fastrouter.core.record import Record, Recorder
from fastrouter.core.router import Router
from fastrouter.errors import EventError

from .peer import MINUTE, START, Peer, candle, drain, quote


def test_lossless_events_and_only_they_are_recorded_listened_to_or_not(router, kept):
    router.publish(quote("S:A"))
    router.publish("order", {"n": 1}, symbol="S:A")
    Peer(router, ("*", "order"), ("*", "candle@1m"))
    router.publish(candle("S:A", 1.0, closed=False))
    router.publish(candle("S:A", 2.0))
    router.publish("signal", {"n": 2}, symbol="S:A", time=5)
    router.publish("order", {"n": 3}, symbol="S:A")
    got = [(r.id, r.seq, r.time, r.kind, r.event_type, r.symbol) for r in kept.records]
    assert got == [
        (2, 1, START, "order", "order", "S:A"),
        (4, 2, START + MINUTE, "candle", "candle@1m", "S:A"),
        (5, 1, 5, "signal", "signal", "S:A"),
        (6, 2, START, "order", "order", "S:A"),
    ]
    assert [r.payload for r in kept.records[::2]] == [{"n": 1}, {"n": 2}]
    assert router.last_id == 6


def test_a_candle_is_recorded_as_the_candle_a_client_gets(router, kept):
    rows = np.zeros(1, CANDLE_DTYPE)
    rows["symbol"], rows["timeframe"], rows["time"], rows["closed"] = "S:A", "5m", START, True
    rows["close"] = 1.5
    router.publish_batch(rows)
    (record,) = kept.records
    assert record.payload == Candle(
        "S:A", timeframe="5m", open=0, high=0, low=0, close=1.5, time=START, id=1, seq=1
    )
    assert record.body is None


def test_it_is_recorded_before_anybody_can_be_sent_it():
    class Watch(Recorder):
        def record(self, record: Record) -> None:
            seen.append((record.id, router.last_id, peer.outbox.waiting))

    seen: list[Any] = []
    router = Router(clock=Clock(START), recorder=Watch())
    peer = Peer(router, ("*", "order"), ("*", "candle@1m"))
    router.publish("order", {})
    drain(router)
    router.publish(candle("S:A"))
    assert seen == [(1, 0, False), (2, 1, False)]


@pytest.mark.parametrize("listened", [False, True])
def test_what_cannot_be_encoded_is_neither_recorded_nor_published(router, kept, listened):
    if listened:
        Peer(router, ("*", "order"))
    for payload in (5, {"x": object()}, {"note": "\ud800"}):
        with pytest.raises(EventError):
            router.publish("order", payload)
    assert kept.records == []
    assert router.last_id == 0


def test_a_recorder_that_raises_stops_the_event():
    router = Router(clock=Clock(START), recorder=Recorder())
    peer = Peer(router, ("*", "order"), ("*", "candle@1m"))
    for event in (Event("order", {}), candle("S:A")):
        with pytest.raises(NotImplementedError, match="Recorder keeps nothing"):
            router.publish(event)
    assert router.last_id == 0
    assert not peer.outbox.waiting


def test_the_publisher_may_change_its_dict_afterwards(router, kept):
    order = {"n": 1, "legs": [1], "at": datetime.date(2025, 1, 1)}
    router.publish("order", order)
    order["n"] = 2
    order["legs"].append(2)
    assert kept.records[0].payload == {"n": 1, "legs": [1], "at": "2025-01-01"}
    assert kept.records[0].body == b'{"n":1,"legs":[1],"at":"2025-01-01"}'


@pytest.mark.parametrize(
    ("kind", "payload", "account", "whose"),
    [
        ("order", {}, None, DEFAULT_ACCOUNT),
        ("order", {"account_id": None}, None, DEFAULT_ACCOUNT),
        ("order", {"account_id": ""}, None, DEFAULT_ACCOUNT),
        ("trade", {"account_id": "a"}, None, "a"),
        ("position", {"account_id": 7}, None, "7"),
        ("account", {"account_id": "a"}, "b", "b"),
        ("order", [], None, DEFAULT_ACCOUNT),
        ("signal", {"account_id": "a"}, "b", ""),
    ],
)
def test_whose_it_is(router, kept, kind, payload, account, whose):
    router.publish(kind, payload, account=account)
    router.publish(Event(kind, payload, account=account or ""))
    assert [record.account for record in kept.records] == [whose, whose]


def test_from_stored_fields():
    record = Record(
        kind="order", event_type="order", symbol="S:A", account="a",
        payload={"n": 1}, id=7, seq=3, time=START,
    )  # fmt: skip
    assert (record.payload, record.account, record.id, record.seq) == ({"n": 1}, "a", 7, 3)
    assert repr(record).startswith("Record(kind='order', event_type='order', symbol='S:A'")
    with pytest.raises(AttributeError):
        record.id = 8
    with pytest.raises(TypeError):
        Record(
            kind="order", event_type="order", symbol="S:A", account="a",
            payload={"n": object()}, id=7, seq=3, time=START,
        )  # fmt: skip


def test_ids_go_on_over_a_restart(router, kept):
    router.start_after(1 << 40)
    router.publish("order", {})
    assert kept.records[0].id == router.last_id == (1 << 40) + 1
    with pytest.raises(ValueError, match="ids have begun"):
        router.start_after(5)
