"""Events that come in by HTTP: over a socket to WebSocket clients, and every way to be refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from fastrouter.control.guard import Guard
from fastrouter.control.intake import MOST_BYTES, MOST_EVENTS, SLICE, intake
from fastrouter.control.port import Port
from fastrouter.control.problem import answer_problems
from fastrouter.core.kinds import KINDS
from fastrouter.core.sink import MessageSink
from fastrouter.dialects import load
from fastrouter.embed import Router

from ..models.test_models import LEAST
from ..net.wire import Wire
from .fakes import FakeVerifier

QUOTE = {"symbol": "S:AAPL", "bid": 150.25, "ask": "150.27", "bid_size": 100}
CANDLE = {
    "symbol": "S:AAPL",
    "timeframe": "1m",
    "time": 1_735_689_600_000,
    "open": 1,
    "high": 3,
    "low": 1,
    "close": 2,
    "volume": 10,
}
PAYLOADS: dict[str, dict[str, Any]] = {"quote": QUOTE, "candle": CANDLE, **LEAST}


def application(router: Router, verifier: FakeVerifier | None = None) -> FastAPI:
    app = FastAPI()
    answer_problems(app)
    app.include_router(intake(router, Guard(verifier, lambda: 0.0, ("publish", "admin"))))
    return app


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
async def http(router) -> AsyncIterator[httpx.AsyncClient]:
    async with client(router) as found:
        yield found


@asynccontextmanager
async def client(router, verifier=None, **options) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(router, verifier), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rest", **options) as found:
        yield found


def listen(router: Router, *event_types: str) -> list[dict[str, Any]]:
    """What a session of these event types gets."""
    received: list[dict[str, Any]] = []
    sink = MessageSink(lambda payload: received.append(orjson.loads(payload)))
    outbox = router.attach(sink, load("trading-api"))
    outbox.subscribe([("*", event_type) for event_type in event_types])
    return received


async def test_from_a_request_to_a_websocket_client():
    """… over sockets."""
    router = Router()
    server = await router.serve(port=0)
    port = await Port.open(application(router), "127.0.0.1", 0)
    wire = await Wire.session(server.port, "/ws?subscriptions=*:quote,*:order,*:candle")
    try:
        bodies = [
            {"kind": "quote", "payload": QUOTE, "time": "2025-01-01T00:00:00Z"},
            {"kind": "order", "payload": LEAST["order"], "time": 1_735_689_601_000},
            {"kind": "candle", "payload": CANDLE},
        ]
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{port.url}/v1/events", json=bodies)
        assert (answer.status_code, answer.json()) == (202, {"ids": ["evt_1", "evt_2", "evt_3"]})
        quote, order, candle = [await wire.message() for _ in range(3)]
        assert [one["id"] for one in (quote, order, candle)] == answer.json()["ids"]
        assert (quote["quote"]["ask"], quote["quote"]["last"]) == ("150.27", "150.26")
        assert quote["timestamp"] == "2025-01-01T00:00:00.000000Z"
        assert order["order"] == LEAST["order"]
        assert order["timestamp"] == "2025-01-01T00:00:01.000000Z"
        assert (candle["bar"]["close"], candle["bar"]["closed"]) == ("2", True)
    finally:
        await wire.bye()
        await port.close()
        await server.close(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind(http, router, kind):
    answer = await http.post("/v1/events", json={"kind": kind, "payload": PAYLOADS[kind]})
    assert (answer.status_code, answer.json()) == (202, {"ids": ["evt_1"]})
    assert router.counters().events[kind] == 1


async def test_symbol_and_account(http, router):
    received = listen(router, "order")
    body = {"kind": "order", "payload": LEAST["order"], "symbol": "S:X", "account": "ada"}
    assert (await http.post("/v1/events", json=body)).status_code == 202
    router.flush()
    assert received[0]["order"] == LEAST["order"]


async def test_decimals_are_as_they_are_written(http, router):
    received = listen(router, "order", "quote")
    payload = '{"id":"1","symbol":"S:A","qty":12345678.123456789,"metadata":{"x":0.10}}'
    quote = '{"symbol":"S:A","bid":0.30000000000000004,"ask":1e0}'
    body = f'[{{"kind":"order","payload":{payload}}},{{"kind":"quote","payload":{quote}}}]'
    headers = {"Content-Type": "application/json"}
    assert (await http.post("/v1/events", content=body, headers=headers)).status_code == 202
    router.flush()
    assert received[0]["order"]["qty"] == "12345678.123456789"
    assert received[0]["order"]["metadata"] == {"x": 0.1}
    assert received[1]["quote"]["bid"] == "0.30000000000000004"


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, MOST_EVENTS])
async def test_an_array_keeps_its_order(http, router, count):
    received = listen(router, "order")
    bodies = [
        {"kind": "order", "payload": {**LEAST["order"], "id": f"o-{n}"}} for n in range(count)
    ]
    answer = await http.post("/v1/events", json=bodies)
    assert answer.status_code == 202
    assert answer.json()["ids"] == [f"evt_{n + 1}" for n in range(count)]
    while router.flush():
        pass
    assert [one["order"]["id"] for one in received] == [f"o-{n}" for n in range(count)]


async def test_other_events_go_out_between_the_slices(router):
    """A large request leaves the loop to others, many times."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    async with client(router) as http:
        body = [{"kind": "job", "payload": LEAST["job"]}] * MOST_EVENTS
        assert (await http.post("/v1/events", json=body)).status_code == 202
    task.cancel()
    assert turns >= 2 * (MOST_EVENTS / SLICE - 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (1, "int; allowed: an object with kind and payload"),
        ({}, "'kind' is missing"),
        ({"kind": "quote"}, "'payload' is missing"),
        ({"kind": "x", "payload": {}}, "kind is 'x'; allowed: quote, candle, order"),
        ({"kind": "order", "payload": []}, "payload is []"),
        ({"kind": "order", "payload": {}, "x": 1}, "'x' is unknown; allowed: kind, payload"),
        ({"kind": "order", "payload": {"id": "1"}}, "order: 'symbol' is missing"),
        ({"kind": "order", "payload": {**LEAST["order"], "x": 1}}, "order: 'x' is unknown"),
        ({"kind": "job", "payload": {**LEAST["job"], "status": "odd"}}, "allowed: pending, run"),
        ({"kind": "job", "payload": LEAST["job"], "time": "noon"}, "time: 'noon' is not a time"),
        ({"kind": "job", "payload": LEAST["job"], "account": "a"}, "account: a job belongs to"),
        ({"kind": "job", "payload": LEAST["job"], "symbol": "a b"}, "symbol 'a b' cannot be one"),
        ({"kind": "job", "payload": {**LEAST["job"], "id": "a b"}}, "symbol 'a b' cannot be one"),
        ({"kind": "quote", "payload": QUOTE, "symbol": "S:A"}, "symbol: a quote has it in its"),
        ({"kind": "quote", "payload": {"symbol": "S:A", "bid": 1}}, "quote: 'ask' is missing"),
        ({"kind": "quote", "payload": {**QUOTE, "bid": "x"}}, "quote: bid: 'x' is no number"),
        ({"kind": "quote", "payload": {**QUOTE, "bid": True}}, "quote: bid: True is no number"),
        ({"kind": "quote", "payload": {**QUOTE, "symbol": "*"}}, "symbol '*' cannot be one"),
        ({"kind": "candle", "payload": {**CANDLE, "timeframe": "7m"}}, "timeframe '7m' is not"),
        (
            {"kind": "job", "payload": {**LEAST["job"], "error": "x" * 300_000}},
            "payload of 300077 bytes; allowed: 260096",
        ),
    ],
)
async def test_what_cannot_be_an_event_is_named_and_nothing_is_published(http, router, body, said):
    good = {"kind": "order", "payload": LEAST["order"]}
    for sent, where in ((body, ""), ([good, good, body, good], "event 2: ")):
        answer = await http.post("/v1/events", json=sent)
        assert answer.status_code == 422
        assert set(answer.json()) == {"code", "message"}
        assert answer.json()["code"] == "INVALID_EVENT"
        message = answer.json()["message"]
        assert message.startswith(where)
        assert said in message
        assert "\n" not in message
    assert router.last_id == 0


async def test_a_payload_too_deep_for_an_envelope(http, router):
    deep: Any = 1
    for _ in range(252):
        deep = {"a": deep}
    body = {"kind": "job", "payload": {**LEAST["job"], "metadata": deep}}
    answer = await http.post("/v1/events", content=orjson.dumps(body), headers=JSON)
    assert answer.status_code == 422
    assert router.last_id == 0


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "code", "said"),
    [
        (b"{", JSON, 400, "BAD_REQUEST", "the body is not JSON: "),
        (b"", JSON, 400, "BAD_REQUEST", "the body is not JSON: "),
        (b'{"kind":NaN}', JSON, 400, "BAD_REQUEST", "the body is not JSON: "),
        (b'"\xff"', JSON, 400, "BAD_REQUEST", "the body is not JSON: "),
        (b"[" * 5000, JSON, 400, "BAD_REQUEST", "the body is not JSON: "),
        (b"{}", {}, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type is missing"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", "is text/plain"),
        (b" " * (MOST_BYTES + 1), JSON, 413, "TOO_LARGE", f"allowed: {MOST_BYTES}"),
        (b"[%b1]" % (b"1," * MOST_EVENTS), JSON, 413, "TOO_LARGE", "1001 events; allowed: 1000"),
    ],
)
async def test_requests_that_hold_no_events(http, router, content, headers, status, code, said):
    answer = await http.post("/v1/events", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["message"]
    assert router.last_id == 0


async def test_a_body_whose_size_nobody_tells(http, router):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * (MOST_BYTES // 16)

    answer = await http.post("/v1/events", content=chunks(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


async def test_charset_and_case_of_the_content_type(http):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = orjson.dumps({"kind": "order", "payload": LEAST["order"]})
    assert (await http.post("/v1/events", content=body, headers=headers)).status_code == 202


async def test_only_post(http):
    answer = await http.get("/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 401, "NOT_AUTHENTICATED"),
        ("Bearer old", 401, "TOKEN_EXPIRED"),
        ("Bearer user", 403, "FORBIDDEN"),
        ("Bearer publish", 202, None),
        ("Bearer admin", 202, None),
    ],
)
async def test_with_auth_on_a_claim_is_needed(router, header, status, code):
    headers = {} if header is None else {"Authorization": header}
    async with client(router, FakeVerifier(), headers=headers) as http:
        answer = await http.post("/v1/events", json={"kind": "order", "payload": LEAST["order"]})
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert router.last_id == (status == 202)


async def test_openapi_has_a_model_for_every_kind(http):
    schema = (await http.get("/openapi.json")).json()
    post = schema["paths"]["/v1/events"]["post"]
    one, many = post["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert set(one["discriminator"]["mapping"]) == set(KINDS)
    assert many["items"]["discriminator"] == one["discriminator"]
    models = schema["components"]["schemas"]
    assert models["OrderEvent"]["properties"]["payload"] == {"$ref": "#/components/schemas/Order"}
    assert models["Order"]["required"] == ["id", "symbol"]
    assert set(models["JobEvent"]["properties"]) == {"kind", "payload", "symbol", "time"}
    assert set(post["responses"]) >= {"202", "400", "401", "403", "413", "415", "422"}
    assert "Accepted" in models
