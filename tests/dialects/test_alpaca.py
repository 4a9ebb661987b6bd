"""Trade updates, as Alpaca's own client reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter.core.event import Event, Quote
from fastrouter.dialects import load
from fastrouter.models import validate

START = 1_735_689_600_000_000_000
ID = "550e8400-e29b-41d4-a716-446655440000"
PAYLOAD = {
    "event": "ORDER_PARTIALLY_FILLED",
    "id": ID,
    "client_order_id": "mine",
    "account_id": "paper",
    "symbol": "S:AAPL",
    "side": "BUY",
    "type": "STOP_LIMIT",
    "time_in_force": "day",
    "qty": "10",
    "filled_qty": "4",
    "filled_avg_price": "150.5",
    "limit_price": "151",
    "stop_price": "150",
    "status": "partially_filled",
    "created_at": "2025-01-01T00:00:00.000000Z",
    "updated_at": "2025-01-01T00:00:01.000000Z",
    "metadata": {
        "fill_id": f"{ID}:1",
        "fill_price": "150.5",
        "fill_qty": "4",
        "position_qty": "4",
        "expires_at": "2025-01-02T00:00:00.000000Z",
    },
}


def data(payload: Any) -> dict[str, Any]:
    encoded = load("alpaca").encode(Event("order", payload, time=START, id=7))
    message = json.loads(encoded)
    assert message["stream"] == "trade_updates"
    found: dict[str, Any] = message["data"]
    return found


def test_a_partial_fill():
    update = data(validate("order", PAYLOAD))
    order = update.pop("order")
    assert update == {
        "event": "partial_fill",
        "event_id": "evt_7",
        "execution_id": update["execution_id"],
        "timestamp": "2025-01-01T00:00:01.000000Z",
        "price": "150.5",
        "qty": "4",
        "position_qty": "4",
    }
    assert {name: value for name, value in order.items() if value is not None} == {
        "id": ID,
        "client_order_id": "mine",
        "created_at": "2025-01-01T00:00:00.000000Z",
        "updated_at": "2025-01-01T00:00:01.000000Z",
        "submitted_at": "2025-01-01T00:00:00.000000Z",
        "expires_at": "2025-01-02T00:00:00.000000Z",
        "asset_id": order["asset_id"],
        "symbol": "AAPL",
        "topic_symbol": "S:AAPL",
        "asset_class": "us_equity",
        "qty": "10",
        "filled_qty": "4",
        "filled_avg_price": "150.5",
        "order_class": "simple",
        "order_type": "stop_limit",
        "type": "stop_limit",
        "side": "buy",
        "time_in_force": "day",
        "limit_price": "151",
        "stop_price": "150",
        "status": "partially_filled",
        "extended_hours": False,
        "strategy_id": "",
        "commission": "0",
    }


@pytest.mark.parametrize(
    ("event", "status", "word", "stamp"),
    [
        ("ORDER_ACCEPTED", "accepted", "new", None),
        ("ORDER_FILLED", "filled", "fill", "filled_at"),
        ("ORDER_CANCELED", "canceled", "canceled", "canceled_at"),
        ("ORDER_REJECTED", "rejected", "rejected", "failed_at"),
        ("ORDER_REPLACED", "replaced", "replaced", "replaced_at"),
        ("ORDER_EXPIRED", "expired", "expired", "expired_at"),
        (None, "accepted", "restated", None),
    ],
)
def test_what_happened_and_since_when(event, status, word, stamp):
    payload = {key: value for key, value in PAYLOAD.items() if key not in ("event", "metadata")}
    given = {"event": event} if event else {}
    update = data(validate("order", {**payload, **given, "status": status}))
    assert update["event"] == word
    assert update["order"]["status"] == ("new" if status == "accepted" else status)
    assert not {"price", "qty", "position_qty"} & set(update)
    stamps = ("filled_at", "canceled_at", "failed_at", "replaced_at", "expired_at")
    told = {name: update["order"][name] for name in stamps if update["order"][name]}
    assert told == ({stamp: PAYLOAD["updated_at"]} if stamp else {})


def test_every_execution_has_its_id():
    ids = {data({**PAYLOAD, "metadata": {"fill_id": f"{ID}:{n}"}})["execution_id"] for n in "123"}
    ids |= {data({**PAYLOAD, "metadata": {}, "status": s})["execution_id"] for s in ("a", "b")}
    assert len(ids) == 5


def test_orders_of_others_lack_much():
    for payload in ({"id": "1", "symbol": "X"}, {"metadata": [], "event": 5, "symbol": None}, {}):
        update = data(payload)
        assert update["timestamp"] == "2025-01-01T00:00:00.000000Z"
        assert update["order"]["submitted_at"] == update["timestamp"]


def test_other_kinds_have_no_message():
    dialect = load("alpaca")
    assert dialect.encode(Quote("S:A", bid=1, ask=2)) is None
    assert dialect.encode(Event("trade", {}, time=START)) is None
    assert dialect.encode(Event("order", [], time=START)) is None
    with pytest.raises(NotImplementedError):
        dialect.control("welcome", {}, START)


def test_its_own_client_reads_it():
    models = pytest.importorskip("alpaca.trading.models", reason="alpaca-py is not installed")
    update = models.TradeUpdate(**data(PAYLOAD))
    assert (update.event, update.price, update.qty, update.position_qty) == (
        models.TradeEvent.PARTIAL_FILL,
        150.5,
        4,
        4,
    )
    assert (update.order.symbol, update.order.limit_price) == ("AAPL", "151")
