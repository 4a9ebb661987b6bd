"""What DGBIT's own events, and others in its envelope, become; the models take all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter.bus.reading import Reader
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import KINDS, MARKET_KINDS
from fastrouter.core.leaves import parse_iso8601
from fastrouter.errors import EventError, MessageError
from fastrouter.models import validate

from ..models.test_models import LEAST

NOON = "2024-01-15T12:00:00Z"
NOON_NS = parse_iso8601(NOON)

#: the examples of the document: type, payload -> kind, payload as it is routed
DOCUMENT: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "job.created",
        {"job_id": "550e8400", "job_type": "backtest", "status": "pending"},
        "job",
        {"id": "550e8400", "job_type": "backtest", "status": "pending"},
    ),
    (
        "job.completed",
        {
            "job_id": "550e8400",
            "job_type": "backtest",
            "status": "completed",
            "result": {"total_trades": 15, "win_rate": 0.6, "total_return": 0.12},
        },
        "job",
        {
            "id": "550e8400",
            "job_type": "backtest",
            "status": "completed",
            "result": {"total_trades": 15, "win_rate": 0.6, "total_return": 0.12},
        },
    ),
    (
        "job.failed",
        {"job_id": "550e8400", "job_type": "backtest", "status": "failed", "error": "No data"},
        "job",
        {"id": "550e8400", "job_type": "backtest", "status": "failed", "error": "No data"},
    ),
    (
        "trade.entered",
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "quantity": 0.001,
            "entry_price": 42150.00,
            "take_profit": 42993.00,
            "stop_loss": 41728.50,
            "strategy": "wavelet_reversal",
        },
        "position",
        {
            "id": "BTCUSDT-LONG",
            "strategy": "wavelet_reversal",
            "symbol": "BTCUSDT",
            "side": "LONG",
            "action": "OPENED",
            "quantity": "0.001",
            "entry_price": "42150",
            "stop_loss": "41728.5",
            "take_profit": "42993",
            "entry_time": "2024-01-15T12:00:00.000000Z",
        },
    ),
    (
        "trade.exited",
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "quantity": 0.001,
            "entry_price": 42150.00,
            "exit_price": 42993.00,
            "exit_type": "take_profit",
            "pnl": 0.843,
            "pnl_pct": 2.0,
            "duration_minutes": 45,
        },
        "position",
        {
            "id": "BTCUSDT-LONG",
            "symbol": "BTCUSDT",
            "side": "LONG",
            "action": "CLOSED",
            "quantity": "0.001",
            "entry_price": "42150",
            "exit_price": "42993",
            "exit_time": "2024-01-15T12:00:00.000000Z",
            "exit_type": "take_profit",
            "pnl": "0.843",
            "pnl_pct": "2",
            "duration_minutes": 45,
        },
    ),
    (
        "signal.generated",
        {
            "strategy": "wavelet_reversal",
            "symbol": "BTCUSDT",
            "signal_value": 0.82,
            "direction": "long",
            "confidence": "high",
        },
        "signal",
        {
            "id": "wavelet_reversal-BTCUSDT-1705320000000",
            "strategy": "wavelet_reversal",
            "symbol": "BTCUSDT",
            "action": "BUY",
            "direction": "long",
            "confidence": 0.82,
        },
    ),
    (
        "trade.executed",
        {
            "symbol": "BTCUSDT",
            "side": "short",
            "quantity": 0.5,
            "price": 100,
            "strategy": "s",
        },
        "trade",
        {
            "id": "s-BTCUSDT-1705320000000",
            "strategy": "s",
            "symbol": "BTCUSDT",
            "side": "SELL",
            "quantity": "0.5",
            "price": "100",
            "executed_quantity": "0.5",
            "executed_price": "100",
            "status": "FILLED",
        },
    ),
]


def envelope(kind: Any, payload: Any, stamp: Any = NOON) -> bytes:
    return json.dumps({"type": kind, "timestamp": stamp, "payload": payload}).encode()


def message(kind: str, payload: Any, stamp: Any = NOON) -> bytes:
    return kind.encode() + b" " + envelope(kind, payload, stamp)


@pytest.mark.parametrize(("type_", "said", "kind", "routed"), DOCUMENT)
def test_events_of_the_document(type_, said, kind, routed):
    event = Reader().read(message(type_, said))
    assert isinstance(event, Event)
    assert (event.kind, event.time) == (kind, NOON_NS)
    assert validate(kind, event.payload) == routed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in MARKET_KINDS])
def test_any_kind_by_its_own_name(kind):
    event = Reader().read(message(kind, LEAST[kind]))
    assert isinstance(event, Event)
    assert event.kind == kind
    assert validate(kind, event.payload)["id" if "id" in LEAST[kind] else next(iter(LEAST[kind]))]


def test_a_quote_of_somebody_elses_and_one_of_ours():
    said = {"symbol": "S:A", "bid": 1, "ask": "2.5"}
    expected = Quote("S:A", bid=1, ask=2.5, time=NOON_NS)
    assert Reader().read(message("quote", said)) == expected
    ours = {**said, "last": 1.75, "seq": 4, "event_id": "evt_9", "snapshot": True}
    assert Reader().read(envelope("quote", ours)) == expected


def test_a_candle():
    said = {"symbol": "S:A", "timeframe": "5m", "open": 1, "high": 2, "low": 1, "close": 2}
    expected = Candle("S:A", timeframe="5m", open=1, high=2, low=1, close=2, time=NOON_NS)
    assert Reader().read(message("candle", {**said, "time": NOON})) == expected
    ours = {**said, "volume": 0, "timestamp": NOON, "closed": True, "seq": 1, "event_id": "evt_1"}
    assert Reader().read(message("candle", ours)) == expected


def test_a_time_that_nobody_tells_is_left_to_the_router():
    without = json.dumps({"type": "quote", "payload": {"symbol": "S:A", "bid": 1, "ask": 2}})
    event = Reader().read(without.encode())
    assert event is not None
    assert event.time == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON object"),
        (b"job.created", "no JSON object"),
        (b"job.created {", "not JSON"),
        (b"\xff\xfe{\xff}", "not JSON"),
        (b'job.created {"type":"job.created"} tail', "not JSON"),
        (b"{}", "without a type"),
        (b'{"type":1}', "without a type"),
        (message("quote", {"symbol": "S:A", "bid": 1, "ask": 2}, "noon"), "timestamp: "),
        (message("quote", {"symbol": "S:A", "bid": 1, "ask": 2}, 5), "timestamp: "),
        (message("job.created", {"job_id": "1"}, "noon"), "noon"),
        (message("job.created", "x"), "job.created|dgbit"),
    ],
)
def test_what_is_no_message(data, said):
    with pytest.raises(MessageError, match=said):
        Reader().read(data)


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("quote", {"symbol": "S:A", "bid": 1}, "quote: 'ask' is missing"),
        ("quote", None, "quote: payload is NoneType"),
        ("candle", {}, "candle: 'symbol' is missing"),
    ],
)
def test_market_data_that_cannot_be(kind, payload, said):
    with pytest.raises(EventError, match=said):
        Reader().read(message(kind, payload))


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        (message("job.created", DOCUMENT[0][1]), True),
        (envelope("job.created", DOCUMENT[0][1]), True),
        (envelope("signal.generated", DOCUMENT[5][1]), False),
        (message("signal.generated", DOCUMENT[5][1]), True),  # it was NNG's to leave out
    ],
)
def test_topics(data, taken):
    assert (Reader(("job.", "trade.")).read(data) is not None) == taken


def test_ids_are_no_longer_than_they_may_be():
    said = {**DOCUMENT[5][1], "strategy": "ä" * 100}
    event = Reader().read(message("signal.generated", said))
    assert isinstance(event, Event)
    assert len(event.payload["id"].encode()) <= 128
    validate("signal", event.payload)


def test_a_side_that_is_no_word_is_no_event():
    said = {"symbol": "A", "side": ["LONG"], "quantity": 1, "price": 1}
    event = Reader().read(message("trade.executed", said))
    with pytest.raises(EventError, match="trade: side"):
        validate(event.kind, event.payload)
