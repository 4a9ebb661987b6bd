"""What fields must be together: what refuses and what the schema says are of one mind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from fastrouter.broker.request import Request
from fastrouter.control.trading.answer import body_of
from fastrouter.control.trading.order_body import NewOrder, Replacement, order_fields
from fastrouter.errors import EventError, OrderError
from fastrouter.models import MODELS, validate

from ..control.memory import MemoryDesk
from .test_models import LEAST

jsonschema = pytest.importorskip("jsonschema_rs", reason="schemathesis is not installed")

LEFT_OUT = object()
MARKET = MemoryDesk().broker.market


def order(body: Any) -> None:
    """As REST does."""
    Request.parse(order_fields(body, "", MARKET))


def nested(schema: Any) -> Any:
    return schema["requestBody"]["content"]["application/json"]["schema"]


#: what is checked, its schema, a body, and what its fields may be
TABLES: dict[str, tuple[Callable[[Any], object], Any, dict[str, Any], dict[str, list[Any]]]] = {
    "order": (
        order,
        nested(body_of(NewOrder)),
        {"symbol": "AAPL", "side": "buy"},
        {
            "type": ["market", "limit", "stop", "stop_limit", None, LEFT_OUT],
            **{name: ["5", None, LEFT_OUT] for name in ("qty", "notional", "limit_price")},
            "stop_price": [5, None, LEFT_OUT],
            "position_intent": ["buy_to_open", "sell_to_open", "sell_to_close", LEFT_OUT],
        },
    ),
    "signal": (
        lambda body: validate("signal", body),
        MODELS["signal"].model_json_schema(),
        {"id": "1", "symbol": "S:A"},
        {
            "action": ["BUY", "SELL", "HOLD", None, LEFT_OUT],
            "direction": ["long", "short", "neutral", None, LEFT_OUT],
        },
    ),
    "strategy": (
        lambda body: validate("strategy", body),
        MODELS["strategy"].model_json_schema(),
        {},
        {
            "event": [
                *("started", "stopped", "paused", "status_list", "service_status", None, LEFT_OUT)
            ],
            "strategy_id": ["s", None, LEFT_OUT],
            "strategies": [[], None, LEFT_OUT],
            "status": ["RUNNING", None, LEFT_OUT],
        },
    ),
    "position": (
        lambda body: validate("position", body),
        MODELS["position"].model_json_schema(),
        LEAST["position"],
        {
            "action": ["OPENED", "UPDATED", "CLOSED", None, LEFT_OUT],
            "exit_price": ["1", 2, None, LEFT_OUT],
        },
    ),
}


def bodies(least: dict[str, Any], may: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in product(*may.values()):
        given = dict(zip(may, values, strict=True))
        left_out = {name for name, value in given.items() if value is LEFT_OUT}
        body = {**least, **given}
        yield {name: value for name, value in body.items() if name not in left_out}


def test_a_replacement_replaces_something():
    says = jsonschema.Draft202012Validator(nested(body_of(Replacement)))
    fields = {"qty": "1", "limit_price": "2", "stop_price": "3", "time_in_force": "gtc"}
    for name, value in {**fields, "client_order_id": "x"}.items():
        assert says.is_valid({name: value})
        assert not says.is_valid({name: None})
    assert not says.is_valid({})


def test_every_model_with_cases_is_here():
    assert {kind for kind, model in MODELS.items() if model.CASES} == set(TABLES) - {"order"}


@pytest.mark.parametrize("name", TABLES)
def test_what_is_refused_is_refused_by_the_schema_too(name):
    check, schema, least, may = TABLES[name]
    says = jsonschema.Draft202012Validator(schema)
    count = {True: 0, False: 0}
    for body in bodies(least, may):
        try:
            check(body)
        except (EventError, OrderError):
            taken = False
        else:
            taken = True
        assert says.is_valid(body) is taken, body
        count[taken] += 1
    assert all(count.values())
