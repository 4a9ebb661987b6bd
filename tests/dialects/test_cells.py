"""Which event appears as what in every dialect, and what is said when nothing is known."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Event
from fastrouter.core.kinds import EVENT_TYPES, KINDS, MARKET_KINDS
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load, names
from fastrouter.errors import MessageError
from fastrouter.models import validate

from .cases import CORE_ACCOUNT, DGBIT_EXITED, RUNNING, SIGNAL, TRADE
from .cases import job as job_of
from .cells import CELLS, START, job, position, strategy


@pytest.fixture(scope="module")
def dialects():
    return {name: load(name) for name in names()}


def type_of(encoded: bytes) -> str:
    """What a message has for a type; Alpaca's have a stream."""
    message = json.loads(encoded)
    found: str = message["stream"] if "stream" in message else message["type"]
    return found


@pytest.mark.parametrize(("event", "row"), CELLS)
def test_an_event_has_that_type(dialects, event, row):
    router = Router(
        clock=Clock(START), validate=lambda kind, payload, time: validate(kind, payload)
    )
    sinks = {name: MemorySink() for name in dialects}
    for name, sink in sinks.items():
        outbox = router.attach(sink, dialects[name])
        outbox.subscribe([("*", event_type) for event_type in EVENT_TYPES])
    router.publish(*event)
    while router.flush():
        pass
    alpaca = "trade_updates" if event[0] == "order" else None  # it has no other
    for (name, sink), cell in zip(sinks.items(), (*row, alpaca), strict=True):
        types = [type_of(message) for message in sink.messages()]
        assert types == ([] if cell is None else [cell]), name


def test_every_kind_is_in_the_table():
    kinds = {event[0] for event, _ in CELLS if isinstance(event[0], str)}
    assert kinds == set(KINDS) - set(MARKET_KINDS)


#: what the seeds' messages have no field for
PROFIT = {
    "position": {"realized_pnl": "1.5"},
    "account": {"realized_pnl": "1.5", "unrealized_pnl": "-2", "fees": "0.25"},
}


@pytest.mark.parametrize("kind", PROFIT)
@pytest.mark.parametrize("name", ["trading-api", "orchestrator", "botcore", "dgbit"])
def test_realised_profit_is_told_where_messages_are_ours(dialects, kind, name):
    """And read back; the messages of CORE and DGBIT have the fields that they always had."""
    known = position("UPDATED")[1] if kind == "position" else CORE_ACCOUNT
    payload = validate(kind, known | PROFIT[kind])
    encoded = dialects[name].encode(Event(kind, payload, id=1, time=START))
    if name in ("botcore", "dgbit"):
        assert encoded is None or not any(field in encoded for field in (b'"realized', b'"fees"'))
        return
    message = json.loads(encoded)
    body = message[kind if name == "trading-api" else "data"]
    as_sent = str if name == "trading-api" else float
    back = dialects[name].decode(encoded).payload
    for field, value in PROFIT[kind].items():
        assert body[field] == as_sent(value)
        assert back[field] == value


# ------------------------------------------------------------------ what is not known


def body(dialect: Any, kind: str, payload: Any) -> dict[str, Any]:
    encoded = dialect.encode(Event(kind, validate(kind, payload), time=START))
    message = json.loads(encoded)
    found: dict[str, Any] = message.get("data", message.get("payload"))
    return found


def test_what_dgbits_client_formats_is_a_number(dialects):
    dgbit = dialects["dgbit"]
    assert f"{body(dgbit, *job('completed'))['result']['win_rate']:.1%}" == "0.0%"
    none = job_of("completed", result={"win_rate": None, "total": 1})
    assert body(dgbit, "job", none)["result"] == {"win_rate": 0, "total": 1}
    assert "result" not in body(dgbit, *job("pending"))
    worthless = {**DGBIT_EXITED, "entry_price": 0}
    assert f"{body(dgbit, 'position', worthless)['pnl_pct']:.2%}" == "0.00%"


def test_what_cores_frontend_formats_is_a_number(dialects):
    core = dialects["botcore"]
    signal = body(core, "signal", {"id": "1", "symbol": "B", "action": "SELL"})
    assert f"{signal['confidence'] * 100:.0f}" == "0"
    assert signal["signal"] == "short"
    least = {key: TRADE[key] for key in ("id", "symbol", "side")}
    trade = body(core, "trade", {**least, "executed_quantity": 10, "executed_price": 152.75})
    assert (trade["quantity"], trade["price"], trade["commission"]) == (10, 152.75, 0)
    assert body(core, "account", {"id": "main", "uptime_seconds": 3600.5})["uptime_seconds"] == 3600
    status = body(core, "account", {"id": "main"})
    figures = ("uptime_seconds", "total_positions", "total_balance", "total_pnl")
    assert [status[name] for name in (*figures, "total_pnl_percent")] == [0] * 5
    opened = body(core, *position("OPENED"))["position"]
    assert (opened["current_price"], opened["unrealized_pnl"], opened["leverage"]) == (67000, 0, 1)
    assert opened["entry_time"] == START // 10**6


@pytest.mark.parametrize(
    ("confidence", "word"),
    [(1, "high"), (0.7, "high"), (0.69, "medium"), (0.4, "medium"), (0.39, "low"), (0, "low")],
)
def test_dgbit_has_words_for_confidence(dialects, confidence, word):
    signal = body(dialects["dgbit"], "signal", {**SIGNAL, "confidence": confidence})
    assert (signal["signal_value"], signal["confidence"]) == (confidence, word)


@pytest.mark.parametrize(
    ("event", "status", "enabled"),
    [
        (strategy("started", name="A"), "RUNNING", ["strategy-123"]),
        (strategy("started", enabled_strategies=["A"]), "RUNNING", ["A"]),
        (strategy("paused"), "PAUSED", None),
        (strategy("stopped"), "STOPPED", None),
        (strategy("stopped", enabled_strategies=["B"]), "STOPPED", ["B"]),
        (strategy("stopped", status="ERROR"), "ERROR", None),
        (strategy("service_status", status="RUNNING"), "RUNNING", None),
        (strategy("status_list", strategies=[RUNNING]), "RUNNING", [RUNNING["id"]]),
        (strategy("status_list", strategies=[]), "STOPPED", []),
    ],
)
def test_a_strategys_state_is_the_bots(dialects, event, status, enabled):
    found = body(dialects["botcore"], *event)
    assert (found["status"], found.get("enabled_strategies")) == (status, enabled)
    assert found["total_balance"] is found["uptime_seconds"] is None, "nobody told"
    assert found.keys() == body(dialects["botcore"], "account", {"id": "main"}).keys()


# ------------------------------------------------------------------ what nobody validated


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("quote", "candle")])
@pytest.mark.parametrize(
    "payload", [{}, [], {"n": 1, "price": "x", "id": None}, {"event": "x", "action": 5}]
)
def test_any_payload_is_encoded_or_left_out(dialects, kind, payload):
    for dialect in dialects.values():
        encoded = dialect.encode(Event(kind, payload, time=START))
        assert encoded is None or type_of(encoded)


BAD = [
    *(b"", b"nope", b"[]", b"5", b"null", b"{}", b'{"type":5}', b'{"type":[]}', b"\xff"),
    *(b'{"type":"quote"}', b'{"type":"candle"}', b'{"type":"MarketData"}', b'{"type":"Error"}'),
    *(b'{"type":"quote","data":5,"payload":5,"quote":5,"timestamp":"x"}',),
    *(b'{"type":"quote","data":{},"payload":{},"quote":{},"timestamp":"2025-01-01T00:00:00Z"}',),
    *(b'{"type":"connection","timestamp":"yesterday","data":{},"payload":{}}',),
]


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_message_is_a_message_error(dialects, data):
    """In one dialect or the other it may be one."""
    for dialect in dialects.values():
        with suppress(MessageError):
            assert isinstance(dialect.decode(data), Event)
            assert b'"type":"' in data
