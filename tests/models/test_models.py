"""What payloads are refused, and the one form in which the others are routed."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import orjson
import pytest

from fastrouter.core.kinds import KINDS, MARKET_KINDS
from fastrouter.errors import EventError
from fastrouter.models import MODELS, validate

ORDER = {"id": "o-1", "symbol": "S:AAPL"}
TRADE = {"id": "t-1", "symbol": "S:A", "side": "BUY", "executed_quantity": 1, "executed_price": 2}
POSITION = {
    "id": "p-1",
    "symbol": "BTCUSDT",
    "side": "LONG",
    "action": "OPENED",
    "quantity": "0.001",
    "entry_price": "42150",
}
SIGNAL = {"id": "s-1", "symbol": "BTCUSDT", "action": "BUY"}
JOB = {"id": "550e8400", "job_type": "backtest", "status": "pending"}

#: the least of each kind
LEAST = {
    "order": ORDER,
    "trade": TRADE,
    "position": POSITION,
    "account": {"id": "a-1"},
    "signal": SIGNAL,
    "strategy": {"event": "started", "strategy_id": "strategy-123"},
    "job": JOB,
    "risk": {"rule": "maxPositionValue"},
}


def refusal(kind, payload):
    with pytest.raises(EventError) as caught:
        validate(kind, payload)
    text = str(caught.value)
    assert caught.value.code == "INVALID_EVENT"
    assert "\n" not in text
    return text


def test_every_kind_but_market_data_has_a_model():
    assert set(MODELS) == set(KINDS) - set(MARKET_KINDS) == set(LEAST)


@pytest.mark.parametrize("kind", MODELS)
def test_the_least_is_enough_and_validating_twice_changes_nothing(kind):
    given = dict(LEAST[kind])
    payload = validate(kind, given)
    assert validate(kind, payload) == payload
    assert list(validate(kind, payload)) == list(payload)
    assert given == LEAST[kind]
    assert None not in payload.values()
    orjson.dumps(payload)


@pytest.mark.parametrize("kind", MODELS)
def test_fields_come_in_the_models_order(kind):
    names = list(MODELS[kind].model_fields)
    payload = validate(kind, dict(reversed(LEAST[kind].items())))
    assert list(payload) == [name for name in names if name in payload]


@pytest.mark.parametrize("kind", MODELS)
def test_every_required_field_that_is_missing_is_named(kind):
    for name, field in MODELS[kind].model_fields.items():
        if field.is_required():
            left = {key: value for key, value in LEAST[kind].items() if key != name}
            assert f"'{name}' is missing" in refusal(kind, left)


@pytest.mark.parametrize("kind", MODELS)
def test_an_unknown_field_is_refused_and_the_allowed_ones_are_named(kind):
    text = refusal(kind, LEAST[kind] | {"qtyy": 1})
    assert text == f"{kind}: 'qtyy' is unknown; allowed: {', '.join(MODELS[kind].model_fields)}"


@pytest.mark.parametrize("payload", [None, [], "x", 5, [ORDER]])
def test_a_payload_that_is_no_object_is_refused(payload):
    assert "allowed: an object" in refusal("order", payload)


@pytest.mark.parametrize("kind", ["quote", "nope", ""])
def test_another_kind_is_refused(kind):
    assert refusal(kind, {}) == f"kind {kind!r} is not known; allowed: {', '.join(MODELS)}"


@pytest.mark.parametrize(
    ("given", "routed"),
    [
        (10, "10"),
        (150.25, "150.25"),
        (10.0, "10"),
        (-0.0, "0"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        ("10.50", "10.50"),
        ("-0.0", "0.0"),
        ("+1", "1"),
        ("007", "7"),
        (".5", "0.5"),
        ("1e3", "1000"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+2"), "100"),
        (2**63, "9223372036854775808"),
    ],
)
def test_a_decimal_is_text_without_exponent(given, routed):
    assert validate("order", ORDER | {"qty": given})["qty"] == routed


@pytest.mark.parametrize(
    "given",
    [
        *(True, False, "", " 1", "1 ", "1_0", "x", "0x1", "NaN", "Infinity", "\u0661", "1,5"),
        *(math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")),
        *(b"1", [], {}, 1 + 0j, "1e400", "9" * 100, 10**100, 1e300, 5e-324, "1\n"),
    ],
)
def test_what_is_no_decimal_is_refused(given):
    assert refusal("order", ORDER | {"qty": given}).startswith("order: qty: ")


@pytest.mark.parametrize(
    ("given", "routed"),
    [
        ("2023-07-10T12:34:56Z", "2023-07-10T12:34:56.000000Z"),
        ("2023-07-10T14:34:56.123456789+02:00", "2023-07-10T12:34:56.123456Z"),
        (1697234567000, "2023-10-13T22:02:47.000000Z"),
        (-1, "1969-12-31T23:59:59.999000Z"),
        (datetime(2023, 7, 10, 12, 34, 56, 7, UTC), "2023-07-10T12:34:56.000007Z"),
        (
            datetime(2023, 7, 10, tzinfo=timezone(timedelta(hours=-2))),
            "2023-07-10T02:00:00.000000Z",
        ),
    ],
)
def test_a_time_is_iso_8601_in_utc(given, routed):
    assert validate("order", ORDER | {"created_at": given})["created_at"] == routed


@pytest.mark.parametrize(
    "given",
    [
        *(True, 1.5, "", "yesterday", "2023-07-10", "2023-07-10T12:34:56", 10**18, -(10**18)),
        *(datetime(2023, 7, 10), b"2023-07-10T12:34:56Z", [], datetime(9000, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_is_no_time_is_refused(given):
    assert refusal("order", ORDER | {"created_at": given}).startswith("order: created_at: ")


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("order", {"side": "UP"}, "order: side is 'UP'; allowed: BUY, SELL"),
        ("order", {"event": "FILLED"}, "allowed: ORDER_ACCEPTED, ORDER_FILLED, ORDER_PARTIALLY"),
        ("order", {"id": ""}, "order: id: 0 characters; allowed: 1 to 128"),
        ("order", {"id": 7}, "order: id is 7; "),
        ("order", {"symbol": "S" * 129}, "129 characters"),
        ("order", {"metadata": {"x": math.inf}}, "metadata.x"),
        ("order", {"metadata": {"x": object()}}, "metadata.x"),
        ("order", {"metadata": []}, "metadata is []"),
        ("order", {"status": "x" * 500, "reason": 5}, "reason is 5"),
        ("account", {"total_positions": True}, "total_positions is True"),
        ("account", {"enabled_strategies": "RSI"}, "enabled_strategies is 'RSI'"),
        ("risk", {"recoverable": 1}, "recoverable is 1"),
        ("signal", {"confidence": 1.01}, "signal: confidence: 1.01 is out of range; allowed: 0 to"),
        ("signal", {"confidence": True}, "confidence: True is no number"),
        ("signal", {"direction": "short"}, "allowed: long with BUY"),
        ("position", {"action": "CLOSED"}, "'exit_price' is missing"),
        ("strategy", {"event": "paused", "strategy_id": None}, "'strategy_id' is missing"),
        ("strategy", {"event": "status_list"}, "'strategies' is missing"),
        ("strategy", {"event": "service_status"}, "'status' is missing"),
        (
            "strategy",
            {"event": "status_list", "strategies": [{"id": "a", "status": "x", "p": 1}]},
            "'strategies[0].p' is unknown",
        ),
    ],
)
def test_what_is_wrong_is_named(kind, change, said):
    assert said in refusal(kind, LEAST[kind] | change)


def test_a_number_too_long_to_print_is_refused():
    assert "too large" in refusal("order", ORDER | {"qty": 10**5000})
    assert "id is a int" in refusal("order", ORDER | {"id": 10**5000})


def nested(depth: int) -> dict:
    deep = {}
    for _ in range(depth - 1):
        deep = {"d": deep}
    return deep


@pytest.mark.parametrize("depth", [201, 252, 253, 254, 255, 300, 5000])
def test_what_is_nested_too_deep_is_refused(depth):
    said = refusal("job", JOB | {"result": nested(depth)})
    assert "deep" in said or "recursion" in said


def test_what_is_nested_less_deep_is_taken():
    assert validate("job", JOB | {"result": nested(200)})["result"] == nested(200)


def test_words_may_come_in_any_case():
    order = validate(
        "order", ORDER | {"side": "buy", "type": "stop_limit", "event": "Order_filled"}
    )
    assert (order["side"], order["type"], order["event"]) == ("BUY", "STOP_LIMIT", "ORDER_FILLED")
    position = validate("position", POSITION | {"side": "short", "action": "opened"})
    assert (position["side"], position["action"]) == ("SHORT", "OPENED")
    assert validate("job", JOB | {"status": "RUNNING"})["status"] == "running"


@pytest.mark.parametrize(
    ("action", "direction"), [("BUY", "long"), ("SELL", "short"), ("HOLD", "neutral")]
)
def test_action_and_direction_follow_from_each_other(action, direction):
    bare = {"id": "s-1", "symbol": "BTCUSDT"}
    by_action = validate("signal", bare | {"action": action})
    assert by_action == validate("signal", bare | {"direction": direction})
    assert (by_action["action"], by_action["direction"]) == (action, direction)
    assert "one of them is required" in refusal("signal", bare)


def test_what_a_closed_position_gained_is_computed():
    closed = POSITION | {
        "action": "CLOSED",
        "exit_price": 42993,
        "entry_time": "2024-01-15T10:30:00Z",
        "exit_time": "2024-01-15T11:15:00Z",
    }
    payload = validate("position", closed)
    assert (payload["pnl"], payload["pnl_pct"], payload["duration_minutes"]) == ("0.843", "2", 45)
    short = validate("position", closed | {"side": "SHORT"})
    assert (short["pnl"], short["pnl_pct"]) == ("-0.843", "-2")
    given = validate("position", closed | {"pnl": "1", "pnl_pct": 3, "duration_minutes": 7.5})
    assert (given["pnl"], given["pnl_pct"], given["duration_minutes"]) == ("1", "3", 7.5)
    free = validate("position", closed | {"entry_price": 0, "entry_time": None})
    assert "pnl_pct" not in free
    assert "duration_minutes" not in free


def test_what_is_free_has_whole_numbers_without_a_fraction():
    given = {"a": [1.0, {"b": 2.0}], "c": 2.5, "d": True}
    routed = orjson.dumps(validate("job", JOB | {"result": given})["result"])
    assert routed == b'{"a":[1,{"b":2}],"c":2.5,"d":true}'
    assert given["a"] == [1.0, {"b": 2.0}]


def test_what_is_free_keeps_its_nulls():
    assert validate("job", JOB | {"result": {"a": None}})["result"] == {"a": None}


def test_lists_of_strategies_are_plain_dicts():
    holding = {"symbol": "AAPL", "quantity": 10, "entryPrice": 150.25, "currentValue": 1550.5}
    running = {"id": "a", "status": "ACTIVE", "symbols": ["AAPL"], "positions": [holding]}
    payload = validate("strategy", {"event": "status_list", "strategies": [running]})
    assert orjson.loads(orjson.dumps(payload["strategies"])) == [
        {
            **running,
            "positions": [
                {
                    "symbol": "AAPL",
                    "quantity": "10",
                    "entryPrice": "150.25",
                    "currentValue": "1550.5",
                }
            ],
        }
    ]


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_has_a_json_schema(kind):
    assert set(MODELS[kind].model_json_schema()["properties"]) == set(MODELS[kind].model_fields)


def test_figures_that_follow_have_to_fit_too():
    figures = {"quantity": "1e60", "entry_price": "1", "exit_price": "1e60"}
    closed = {"id": "1", "symbol": "A", "side": "LONG", "action": "CLOSED", **figures}
    with pytest.raises(EventError, match="position: ") as caught:
        validate("position", closed)
    assert caught.value.code == "INVALID_EVENT"


def test_who_says_nothing_of_it_is_not_confident():
    said = validate("signal", {"id": "1", "symbol": "A", "action": "BUY"})
    assert said["confidence"] == 0


def test_a_time_may_be_a_whole_number_with_a_fraction():
    first, second = (validate("order", {**ORDER, "created_at": ms}) for ms in (835.0, 835))
    assert first == second
    assert "835.5 is no time" in refusal("order", {**ORDER, "created_at": 835.5})


@pytest.mark.parametrize("number", [1e63, -1e63, 9e-46, -9e-46])
def test_numbers_beyond_what_the_schema_says(number):
    assert "has more than 64 digits" in refusal("order", {**ORDER, "qty": number})
    inside = math.nextafter(number, 0.0 if abs(number) > 1 else math.copysign(1, number))
    inside = inside if abs(inside) > 1 else math.copysign(1.2345678901234567e-45, number)
    assert Decimal(validate("order", {**ORDER, "qty": inside})["qty"]) == Decimal(repr(inside))
