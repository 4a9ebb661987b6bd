"""The trading API over HTTP: its forms, its strategies, and every way to be refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from fastrouter.broker import Limits, Rules
from fastrouter.control.body import MOST_BYTES
from fastrouter.control.desks import Desks
from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem
from fastrouter.control.rest import build
from fastrouter.control.trading import trading
from fastrouter.control.trading.account import AccountView, ClockView
from fastrouter.control.trading.assets import AssetView
from fastrouter.control.trading.express import Express
from fastrouter.control.trading.order_view import OrderView
from fastrouter.control.trading.orders import CanceledView
from fastrouter.control.trading.position_view import PositionView
from fastrouter.control.trading.positions import ClosedView
from fastrouter.errors import EventError, OrderError

from .memory import MemoryDesk

JSON = {"Content-Type": "application/json"}
BUY = {"symbol": "AAPL", "qty": "10", "side": "buy"}
LIMIT = {**BUY, "type": "limit", "limit_price": "100", "time_in_force": "gtc"}


@pytest.fixture
def desk() -> MemoryDesk:
    return quoted(MemoryDesk())


def quoted(desk: MemoryDesk) -> MemoryDesk:
    desk.quote("S:AAPL", 150, 150.5)
    desk.quote("C:BTCUSD", 60_000, 60_001)
    return desk


class Swapped(Desks):
    """Of an application that is built once: each test puts in its own."""

    def __init__(self) -> None:
        super().__init__(GUARD)

    def put(self, *given: Any, **more: Any) -> None:
        super().__init__(GUARD, *given, **more)


GUARD = Guard(None, lambda: 0.0, ())
DESKS = Swapped()


@cache
def application() -> FastAPI:
    return build([trading(DESKS)])


@asynccontextmanager
async def serving(desk: MemoryDesk | None, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = application()
    DESKS.put(desk, **more)
    transport = httpx.ASGITransport(Express(app, DESKS), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


@pytest.fixture
async def http(desk) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(desk, run=lambda run_id, subject: desk) as client:
        yield client


def told(answer: httpx.Response) -> tuple[int, Any]:
    """Status and code of a refusal, which has our form."""
    body = answer.json()
    assert body.keys() == {"code", "message"}
    assert body["message"]
    assert "\n" not in body["message"]
    return answer.status_code, body["code"]


async def hold(http: httpx.AsyncClient, desk: MemoryDesk, path: str = "", **more: Any) -> None:
    answer = await http.post(f"{path}/v2/orders", json={**BUY, **more})
    assert answer.status_code == 200
    desk.quote("S:AAPL", 150, 150.5)


def fits(view: Any, body: Any) -> None:
    """An answer is its model's, no field less or more."""
    found = TypeAdapter(view).validate_python(body)
    back = TypeAdapter(view).dump_python(found, mode="json", by_alias=True)

    def keys(value: Any) -> Any:
        if isinstance(value, list):
            return [keys(item) for item in value]
        if isinstance(value, dict):
            return {name: keys(item) for name, item in value.items()}
        return None

    assert keys(back) == keys(body)


async def test_answers_are_what_openapi_shows(http, desk):
    await hold(http, desk)
    made = (await http.post("/v2/orders", json=LIMIT)).json()
    for path, view in {
        "/v2/orders": list[OrderView],
        "/v2/orders?status=all": list[OrderView],
        f"/v2/orders/{made['id']}": OrderView,
        f"/v2/orders:by_client_order_id?client_order_id={made['id']}": OrderView,
        "/v2/positions": list[PositionView],
        "/v2/positions/AAPL": PositionView,
        "/v2/account": AccountView,
        "/v2/clock": ClockView,
        "/v2/assets": list[AssetView],
        "/v2/assets/AAPL": AssetView,
    }.items():
        answer = await http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "application/json"
        fits(view, answer.json())
    fits(OrderView, (await http.patch(f"/v2/orders/{made['id']}", json={"qty": 3})).json())
    answer = await http.delete("/v2/orders")
    assert (answer.status_code, len(answer.json())) == (207, 1)
    fits(list[CanceledView], answer.json())
    fits(OrderView, (await http.delete("/v2/positions/AAPL?qty=1")).json())
    answer = await http.delete("/v2/positions")
    assert (answer.status_code, len(answer.json())) == (207, 1)
    fits(list[ClosedView], answer.json())
    order = (await http.post("/v2/orders", json=LIMIT)).json()
    answer = await http.delete(f"/v2/orders/{order['id']}")
    assert (answer.status_code, answer.content) == (204, b"")


# ------------------------------------------------------------------------ symbols


@pytest.mark.parametrize("symbol", ["AAPL", "S:AAPL", "id"])
async def test_a_symbol_in_each_form(http, desk, symbol):
    asset = (await http.get("/v2/assets/AAPL")).json()
    assert (asset["symbol"], asset["name"], asset["class"]) == ("AAPL", "S:AAPL", "us_equity")
    symbol = asset["id"] if symbol == "id" else symbol
    made = (await http.post("/v2/orders", json={**LIMIT, "symbol": symbol})).json()
    assert (made["symbol"], made["asset_id"]) == ("AAPL", asset["id"])
    assert made["topic_symbol"] == "S:AAPL"
    assert len((await http.get(f"/v2/orders?symbols={symbol}")).json()) == 1
    await hold(http, desk, symbol=symbol)
    position = (await http.get(f"/v2/positions/{symbol}")).json()
    assert [position[name] for name in ("symbol", "topic_symbol", "qty")] == [
        *("AAPL", "S:AAPL", "10")
    ]


async def test_a_slash_may_be_escaped(http, desk):
    for path in ("BTC/USD", "BTC%2FUSD", "BTCUSD", "C:BTCUSD", "C%3ABTCUSD"):
        assert (await http.get(f"/v2/assets/{path}")).json()["symbol"] == "BTCUSD"


async def test_names_that_two_symbols_have():
    desk = MemoryDesk(symbols=("S:ABC", "C:ABC", "S:X"))
    desk.quote("S:ABC", 1, 1)
    async with serving(desk) as http:
        names = {one["symbol"] for one in (await http.get("/v2/assets")).json()}
        assert names == {"S:ABC", "C:ABC", "X"}
        answer = await http.post("/v2/orders", json={**BUY, "symbol": "ABC"})
        assert told(answer) == (422, 42210000)
        assert "any of C:ABC, S:ABC" in answer.json()["message"]
        assert told(await http.get("/v2/assets/ABC"))[0] == 422
        made = (await http.post("/v2/orders", json={**BUY, "symbol": "S:ABC"})).json()
        assert made["symbol"] == "S:ABC"


# ------------------------------------------------------------------------ strategies


async def test_a_strategys_mount_shows_what_is_its_own(http, desk):
    one, two = "/v1/strategies/one", "/v1/strategies/two"
    await hold(http, desk, one)
    await hold(http, desk, two, qty="4")
    await hold(http, desk, qty="1")
    made = (await http.post(f"{one}/v2/orders", json=LIMIT)).json()
    assert made["strategy_id"] == "one"
    for path, orders, qty in ((one, 2, "10"), (two, 1, "4"), ("", 4, "15")):
        listed = (await http.get(f"{path}/v2/orders?status=all")).json()
        assert len(listed) == orders
        assert (await http.get(f"{path}/v2/positions/AAPL")).json()["qty"] == qty
        assert [p["qty"] for p in (await http.get(f"{path}/v2/positions")).json()] == [qty]
    assert told(await http.get(f"{two}/v2/orders/{made['id']}")) == (404, 40410000)
    assert told(await http.delete(f"{two}/v2/orders/{made['id']}")) == (404, 40410000)
    patched = await http.patch(f"{two}/v2/orders/{made['id']}", json={"qty": 1})
    assert told(patched) == (404, 40410000)
    query = f"client_order_id={made['client_order_id']}"
    assert told(await http.get(f"{two}/v2/orders:by_client_order_id?{query}"))[0] == 404
    assert (await http.delete(f"{two}/v2/orders")).json() == []
    closed = (await http.delete(f"{two}/v2/positions")).json()
    assert [order["body"]["qty"] for order in closed] == ["4"]
    assert (await http.delete(f"{one}/v2/positions/AAPL")).json()["qty"] == "10"
    assert (await http.delete("/v2/positions/AAPL")).json()["qty"] == "10", "the largest"


async def test_what_is_available_is_what_an_order_here_could_sell(http, desk):
    one = "/v1/strategies/one"
    await hold(http, desk, one)
    await hold(http, desk, qty="3")
    for path, there in (("", "3"), (one, "10"), ("", "3")):
        position = (await http.get(f"{path}/v2/positions/AAPL")).json()
        assert position["qty_available"] == there
        sale = {**BUY, "side": "sell", "qty": f"{there}.1"}
        answer = await http.post(f"{path}/v2/orders", json=sale)
        assert told(answer) == (403, 40310000)
        assert ("DELETE /v2/positions/S:AAPL closes" in answer.json()["message"]) == (not path)
    sold = await http.post("/v2/orders", json={**BUY, "side": "sell", "qty": "3"})
    assert sold.status_code == 200
    assert (await http.get("/v2/positions/AAPL")).json()["qty_available"] == "0"


async def test_available_is_nothing_for_who_is_on_the_other_side():
    desk = quoted(MemoryDesk(rules=Rules(shorting=True)))
    async with serving(desk) as http:
        await hold(http, desk, "/v1/strategies/one")
        await hold(http, desk, side="sell", qty="2")
        position = (await http.get("/v2/positions/AAPL")).json()
        assert (position["qty"], position["qty_available"]) == ("8", "0")


async def test_the_body_names_the_strategy_where_the_path_does_not(http):
    made = (await http.post("/v2/orders", json={**LIMIT, "strategy_id": "one"})).json()
    assert made["strategy_id"] == "one"
    path = "/v1/strategies/one/v2/orders"
    assert (await http.post(path, json={**LIMIT, "strategy_id": "one"})).status_code == 200
    answer = await http.post(path, json={**LIMIT, "strategy_id": "two"})
    assert told(answer) == (422, 42210000)
    assert answer.json()["message"] == "strategy_id is 'two'; allowed here: 'one'"


async def test_a_paused_strategy_may_look_and_cancel(desk):
    paused = False

    def gate(strategy_id: str, acts: bool) -> None:
        if acts and paused:
            raise Problem(403, "strategy one is paused", code="STRATEGY_PAUSED")

    signal = {"symbol": "AAPL", "action": "BUY"}
    async with serving(desk, gate=gate) as http:
        path = "/v1/strategies/one"
        made = [(await http.post(f"{path}/v2/orders", json=LIMIT)).json() for _ in range(2)]
        paused = True
        for asked, body in (
            (("POST", f"{path}/v2/orders"), LIMIT),
            (("POST", "/v2/orders"), {**LIMIT, "strategy_id": "one"}),
            (("PATCH", f"{path}/v2/orders/{made[0]['id']}"), {"qty": 1}),
            (("PATCH", f"/v2/orders/{made[0]['id']}"), {"qty": 1}),
            (("POST", f"{path}/v1/signals"), signal),
            (("POST", "/v1/signals"), {**signal, "strategy_id": "one"}),
        ):
            answer = await http.request(*asked, json=body)
            assert told(answer) == (403, "STRATEGY_PAUSED"), asked
        assert len((await http.get(f"{path}/v2/orders")).json()) == 2
        assert (await http.delete(f"{path}/v2/orders/{made[0]['id']}")).status_code == 204
        assert (await http.delete(f"{path}/v2/orders")).status_code == 207
        assert (await http.post("/v2/orders", json=LIMIT)).status_code == 200


# ------------------------------------------------------------------------ limits


async def test_a_limit_says_which_and_the_figures(http, desk):
    limits = Limits.parse({"maxPositionValue": 1000, "maxOrdersPerMinute": 2})
    await desk.change(lambda broker, now: broker.limit("one", limits, now))
    path = "/v1/strategies/one/v2/orders"
    answer = await http.post(path, json=BUY)
    assert told(answer) == (403, "MAX_POSITION_VALUE")
    assert "1505; allowed: 1000" in answer.json()["message"]
    for _ in range(2):
        assert (await http.post(path, json={**LIMIT, "qty": 1})).status_code == 200
    answer = await http.post(path, json={**LIMIT, "qty": 1})
    assert told(answer) == (403, "MAX_ORDERS_PER_MINUTE")
    assert "3 orders in a minute; allowed: 2" in answer.json()["message"]


async def test_the_kill_switch(http, desk):
    await desk.change(lambda broker, now: broker.kill(now))
    assert told(await http.post("/v2/orders", json=BUY)) == (403, "KILL_SWITCH")
    account = (await http.get("/v2/account")).json()
    assert (account["trading_blocked"], account["trade_suspended_by_user"]) == (True, True)


async def test_no_price_is_known_yet(http):
    answer = await http.post("/v2/orders", json={**BUY, "symbol": "MSFT"})
    assert told(answer) == (422, "NO_PRICE")


async def test_the_same_again_is_answered_the_same(http, desk):
    wanted = {**LIMIT, "client_order_id": "c-1"}
    first, second = [(await http.post("/v2/orders", json=wanted)).json() for _ in range(2)]
    assert first == second
    assert told(await http.post("/v2/orders", json={**wanted, "qty": 1})) == (422, 40010001)
    broke = {**BUY, "qty": 10_000, "client_order_id": "c-2"}
    assert [told(await http.post("/v2/orders", json=broke)) for _ in range(2)] == [
        (403, 40310000)
    ] * 2
    assert len((await http.get("/v2/orders?status=all")).json()) == 2


async def test_a_full_disk(http, desk):
    await hold(http, desk)
    made = (await http.post("/v2/orders", json=LIMIT)).json()
    desk.full = True
    for method, path, body in (
        ("POST", "/v2/orders", BUY),
        ("DELETE", "/v2/orders", None),
        ("PATCH", f"/v2/orders/{made['id']}", {"qty": 1}),
        ("DELETE", f"/v2/orders/{made['id']}", None),
        ("DELETE", "/v2/positions", None),
        ("DELETE", "/v2/positions/AAPL", None),
    ):
        answer = await http.request(method, path, **({} if body is None else {"json": body}))
        assert told(answer) == (503, "STORE_ERROR")
        assert answer.headers["retry-after"] == "1"
    for path in ("/v2/orders", f"/v2/orders/{made['id']}", "/v2/positions", "/v2/account"):
        assert told(await http.get(path)) == (503, "STORE_ERROR"), "it is not known what is kept"
    assert (await http.get("/v2/clock")).status_code == 200


async def test_a_run_that_is_over():
    class Over(MemoryDesk):
        async def change(self, call: Any) -> Any:
            raise OrderError("run r is over", code="RUN_OVER")

        def signal(self, payload: dict[str, Any]) -> str:
            raise EventError("run r waits for a member that is away", code="RUN_WAITS")

    async with serving(None, run=lambda run_id, subject: Over()) as http:
        assert told(await http.post("/v1/runs/r/v2/orders", json=BUY)) == (409, "RUN_OVER")
        signal = {"symbol": "AAPL", "action": "BUY"}
        assert told(await http.post("/v1/runs/r/v1/signals", json=signal)) == (409, "RUN_WAITS")
        assert (await http.get("/v1/runs/r/v2/orders")).json() == []


async def test_a_server_without_an_account():
    async with serving(None) as http:
        for path in ("/v2/orders", "/v2/account", "/v1/strategies/one/v2/clock"):
            assert told(await http.get(path)) == (404, "NO_ACCOUNT")
        assert told(await http.get("/v1/runs/r/v2/account")) == (404, "NO_SUCH_RUN")


# ------------------------------------------------------------------------ shorts


async def test_a_short_position():
    desk = quoted(MemoryDesk(rules=Rules(shorting=True)))
    async with serving(desk) as http:
        await hold(http, desk, side="sell")
        position = (await http.get("/v2/positions/AAPL")).json()
        assert (position["side"], position["qty"], position["qty_available"]) == (
            *("short", "-10", "-10"),
        )
        assert (position["market_value"], position["cost_basis"]) == ("-1505", "-1500")
        assert position["unrealized_pl"] == "-5"
        account = (await http.get("/v2/account")).json()
        assert (account["short_market_value"], account["shorting_enabled"]) == ("-1505", True)
        closing = (await http.delete("/v2/positions/AAPL?percentage=10")).json()
        assert (closing["side"], closing["qty"]) == ("buy", "1")


# ------------------------------------------------------------------------ signals


async def test_a_signal(http, desk):
    said = {"symbol": "AAPL", "direction": "long", "confidence": 0.7}
    answer = await http.post("/v1/strategies/one/v1/signals", json=said)
    assert (answer.status_code, answer.json()) == (202, {"id": "evt_1"})
    (signal,) = desk.signals
    assert signal | {"id": ""} == {
        "id": "",
        "strategy_id": "one",
        "symbol": "S:AAPL",
        "action": "BUY",
        "direction": "long",
        "confidence": 0.7,
    }
    assert UUID(signal["id"])
    await http.post("/v1/signals", json={**said, "id": "mine", "symbol": "F:ES"})
    assert (desk.signals[1]["id"], desk.signals[1]["symbol"]) == ("mine", "F:ES")
    await http.post("/v1/strategies/one/v1/signals", json=said)
    assert desk.signals[2] == signal, "the same in the same instant"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "signal is []; allowed: an object"),
        (5, "signal is 5"),
        ({}, "'symbol' is missing"),
        ({"symbol": "AAPL"}, "'action' and 'direction' are missing"),
        ({"symbol": 5, "action": "BUY"}, "symbol"),
        ({"symbol": "AAPL", "action": "DANCE"}, "allowed: BUY, SELL, HOLD"),
        ({"symbol": "AAPL", "action": "BUY", "x": 1}, "'x' is unknown"),
        ({"symbol": "AAPL", "action": "BUY", "strategy_id": "two"}, "allowed here: 'one'"),
        ({"symbol": "AAPL", "action": "BUY", "strategy_id": 5}, "allowed here: 'one'"),
        ({"symbol": "AAPL", "action": "BUY", "reasoning": "x" * 70_000}, "allowed: 65536"),
    ],
)
async def test_bad_signals(http, desk, body, said):
    answer = await http.post("/v1/strategies/one/v1/signals", json=body)
    assert told(answer) == (422, "INVALID_EVENT")
    assert said in answer.json()["message"]
    assert desk.signals == []


# ------------------------------------------------------------------------ bad input

DEEP: Any = 1
for _ in range(250):
    DEEP = {"a": DEEP}

ROUTES = [("POST", "/v2/orders"), ("PATCH", "/v2/orders/{id}"), ("POST", "/v1/signals")]
MOUNTS = ["", "/v1/strategies/one", "/v1/runs/r"]


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", JSON, 400, "BAD_REQUEST"),
        (b"{", JSON, 400, "BAD_REQUEST"),
        (b'{"qty":NaN}', JSON, 400, "BAD_REQUEST"),
        (b'{"qty":Infinity}', JSON, 400, "BAD_REQUEST"),
        (b'{"qty":1e999}', JSON, 400, "BAD_REQUEST"),
        (b'"\xff"', JSON, 400, "BAD_REQUEST"),
        (b"[" * 5000, JSON, 400, "BAD_REQUEST"),
        (b"{}", {}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"symbol=AAPL", {"Content-Type": "application/x-www-form-urlencoded"}, 415, None),
        (b" " * (MOST_BYTES + 1), JSON, 413, "TOO_LARGE"),
    ],
)
async def test_bodies_that_are_none(
    http, desk, mount, method, path, content, headers, status, code
):
    made = (await http.post(f"{mount}/v2/orders", json=LIMIT)).json()
    path = mount + path.format(id=made["id"])
    answer = await http.request(method, path, content=content, headers=headers)
    assert told(answer) == (status, code or "UNSUPPORTED_MEDIA_TYPE")
    assert len((await http.get("/v2/orders?status=all")).json()) == 1


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ([], "the body is []; allowed: an object"),
        ("buy", "the body is 'buy'"),
        ({"x": 1}, "'x' is unknown; allowed: symbol"),
        ({"symbol": None}, "symbol is missing"),
        ({"symbol": 5}, "symbol is 5; allowed: a string"),
        ({"symbol": "x" * 200}, "allowed: a string of up to 128 bytes"),
        ({"symbol": "NOPE"}, "symbol 'NOPE' is not known"),
        ({"symbol": str(UUID(int=9))}, "is not known"),
        ({"side": None}, "side is missing; allowed: buy, sell"),
        ({"side": "hold"}, "side is 'hold'; allowed: buy, sell"),
        ({"side": {}}, "side is {}; allowed: buy, sell"),
        ({"type": "trailing_stop"}, "type is 'trailing_stop'; allowed: market"),
        ({"time_in_force": "opg"}, "allowed: day, gtc, ioc, fok"),
        ({"qty": None}, "one of qty and notional is required"),
        ({"notional": 5}, "one of qty and notional is required"),
        ({"qty": 0}, "qty is 0; allowed: above 0"),
        ({"qty": -1}, "qty is -1"),
        ({"qty": "ten"}, "qty: 'ten' is no number"),
        ({"qty": True}, "qty: True is no number"),
        ({"qty": [1]}, "qty: [1] is no number"),
        ({"qty": "NaN"}, "qty: 'NaN' is no number"),
        ({"qty": "Infinity"}, "is no number"),
        ({"qty": 1e300}, "has more than 64 digits"),
        ({"qty": "0.0000000001"}, "allowed: 9 decimals"),
        ({"qty": 10**13}, "below 10^12"),
        ({"qty": DEEP}, "is no number"),
        ({"client_order_id": 5}, "client_order_id is 5"),
        ({"client_order_id": "x" * 129}, "allowed: a string of up to 128 bytes"),
        ({"limit_price": 5}, "limit_price: market orders have none"),
        ({"type": "limit"}, "limit_price: limit orders need one"),
        ({"type": "stop_limit", "limit_price": 5}, "stop_price: stop_limit orders need one"),
        ({"extended_hours": True}, "extended_hours True is not supported; allowed: false"),
        ({"extended_hours": 0}, "extended_hours 0 is not supported"),
        ({"order_class": "bracket"}, "order_class 'bracket' is not supported; allowed: '', 'sim"),
        ({"order_class": []}, "order_class [] is not supported"),
        ({"legs": [{}]}, "legs [{}] is not supported"),
        ({"take_profit": {}}, "take_profit is not supported"),
        ({"stop_loss": {"stop_price": 1}}, "stop_loss is not supported"),
        ({"trail_price": 1}, "trail_price is not supported"),
        ({"trail_percent": 1}, "trail_percent is not supported"),
        ({"position_intent": "sell_to_open"}, "position_intent sell_to_open does not go with"),
        ({"position_intent": "dance"}, "position_intent 'dance' is not supported"),
    ],
)
async def test_orders_that_cannot_be(http, mount, change, said):
    body = {**BUY, **change} if isinstance(change, dict) else change
    answer = await http.post(f"{mount}/v2/orders", content=orjson.dumps(body), headers=JSON)
    assert told(answer) == (422, 42210000)
    assert said in answer.json()["message"]
    assert (await http.get("/v2/orders?status=all")).json() == []


@pytest.mark.parametrize(
    "more",
    [
        {"extended_hours": False},
        {"order_class": ""},
        {"order_class": "simple"},
        {"legs": []},
        {"position_intent": "buy_to_open"},
        {"side": "BUY", "position_intent": "buy_to_close"},
        {"trail_price": None, "take_profit": None, "stop_loss": None, "legs": None},
    ],
)
async def test_what_changes_nothing_is_taken(http, more):
    answer = await http.post("/v2/orders", json={**LIMIT, **more})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ([], "the body is []; allowed: an object"),
        ({}, "nothing is to be replaced; allowed: qty, limit_price, stop_price, time_in_force"),
        ({"qty": None}, "nothing is to be replaced; allowed: qty"),
        ({"x": 1}, "x cannot be replaced; allowed: qty"),
        ({"symbol": "MSFT"}, "symbol cannot be replaced"),
        ({"trail": 1}, "trail is not supported"),
        ({"qty": "many"}, "qty: 'many' is no number"),
        ({"stop_price": 5}, "stop_price: limit orders have none"),
        ({"client_order_id": {}}, "client_order_id is {}"),
    ],
)
async def test_replacements_that_cannot_be(http, change, said):
    made = (await http.post("/v2/orders", json=LIMIT)).json()
    answer = await http.patch(f"/v2/orders/{made['id']}", json=change)
    assert told(answer) == (422, 42210000)
    assert said in answer.json()["message"]
    assert (await http.get(f"/v2/orders/{made['id']}")).json()["status"] == "new"


async def test_where_orders_are_met_at_once_the_answer_has_the_fill():
    desk = quoted(MemoryDesk(rules=Rules(at_once=True)))
    async with serving(desk) as http:
        made = (await http.post("/v2/orders", json=BUY)).json()
        assert (made["status"], made["filled_qty"]) == ("filled", "10")
        assert float(made["filled_avg_price"]) == 150.5
        none = {**LIMIT, "time_in_force": "ioc"}
        assert (await http.post("/v2/orders", json=none)).json()["status"] == "canceled"
        rests = (await http.post("/v2/orders", json={**LIMIT, "qty": "1"})).json()
        assert rests["status"] == "new"
        change = {"limit_price": "151"}
        answer = await http.patch(f"/v2/orders/{rests['id']}", json=change)
        assert answer.json()["status"] == "filled"
        closed = (await http.delete("/v2/positions/AAPL")).json()
        assert (closed["status"], closed["filled_qty"]) == ("filled", "11")
        assert (await http.get("/v2/positions")).json() == []


async def test_a_replacement_that_is_refused_leaves_the_order(http):
    made = (await http.post("/v2/orders", json=LIMIT)).json()
    answer = await http.patch(f"/v2/orders/{made['id']}", json={"qty": 10_000})
    assert told(answer) == (403, 40310000)
    assert (await http.get(f"/v2/orders/{made['id']}")).json()["status"] == "new"


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/orders?status=odd", 422, 42210000),
        ("GET", "/v2/orders?limit=0", 422, 42210000),
        ("GET", "/v2/orders?limit=501", 422, 42210000),
        ("GET", "/v2/orders?limit=x", 422, 42210000),
        ("GET", "/v2/orders?after=yesterday", 422, 42210000),
        ("GET", "/v2/orders?direction=up", 422, 42210000),
        ("GET", "/v2/orders?side=hold", 422, 42210000),
        ("GET", "/v2/orders?nested=perhaps", 422, 42210000),
        ("GET", "/v2/orders?after_order_id=x", 404, 40410000),
        ("GET", "/v2/orders?before_order_id=x", 404, 40410000),
        ("GET", "/v2/orders:by_client_order_id", 422, 42210000),
        ("GET", "/v2/orders:by_client_order_id?client_order_id=x", 404, 40410000),
        ("GET", "/v2/orders/x", 404, 40410000),
        ("DELETE", "/v2/orders/x", 404, 40410000),
        ("PUT", "/v2/orders/x", 405, "METHOD_NOT_ALLOWED"),
        ("PUT", "/v2/orders", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v2/positions/NOPE", 404, 40410000),
        ("GET", "/v2/positions/MSFT", 404, 40410000),
        ("GET", "/v2/positions/", 404, 40410000),
        ("DELETE", "/v2/positions/", 404, 40410000),
        ("DELETE", "/v2/positions/MSFT", 404, 40410000),
        ("DELETE", "/v2/positions/NOPE?percentage=5", 404, 40410000),
        ("DELETE", "/v2/positions/MSFT?percentage=5", 404, 40410000),
        ("DELETE", "/v2/positions?cancel_orders=perhaps", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?qty=1&percentage=5", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?qty=0", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?qty=nan", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?qty=", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?qty=100", 403, 40310000),
        ("DELETE", "/v2/positions/AAPL?percentage=0", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?percentage=101", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?percentage=x", 422, 42210000),
        ("DELETE", "/v2/positions/AAPL?percentage=0.0000000001", 422, 42210000),
        ("GET", "/v2/assets/NOPE", 404, 40410000),
        ("GET", "/v2/assets?status=odd", 422, 42210000),
        ("GET", "/v2/assets?status=", 422, 42210000),
        ("GET", "/v2/assets?asset_class=odd", 422, 42210000),
        ("GET", "/v2/assets?status=inactive&asset_class=odd", 422, 42210000),
        ("GET", "/v2/watchlists", 404, "NOT_FOUND"),
    ],
)
async def test_what_is_asked_for_wrongly(http, desk, mount, method, path, status, code):
    await hold(http, desk, mount)
    answer = await http.request(method, mount + path)
    assert told(answer) == (status, code)
    assert (await http.get(f"{mount}/v2/positions/AAPL")).json()["qty_available"] == "10"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("assets?status=zz", "status is 'zz'; allowed: active, inactive, all"),
        ("assets?asset_class=zz", "asset_class is 'zz'; allowed: us_equity, us_option, crypto"),
        ("orders?status=zz", "status is 'zz'; allowed: open, closed, all"),
        ("orders?limit=x&nested=zz", "limit is 'x'; input should be a valid integer"),
        ("orders?limit=x&nested=zz", "; nested is 'zz'; input should be a valid boolean"),
        ("orders?after=5", "after: it must be a time as ISO-8601 has it"),
        ("orders:by_client_order_id", "'client_order_id' is missing"),
        ("assets?asset_class=Crypto", "asset_class is 'Crypto'; allowed: us_equity"),
    ],
)
async def test_queries_that_cannot_be(http, query, said):
    answer = await http.get(f"/v2/{query}")
    assert answer.status_code == 422
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "count"),
    [("status=all", 3), ("asset_class=us_option", 0), ("asset_class=crypto&status=active", 1)],
)
async def test_assets_by_class_and_status(http, query, count):
    assert len((await http.get(f"/v2/assets?{query}")).json()) == count


async def test_pages(http, desk):
    made = [(await http.post("/v2/orders", json=LIMIT)).json()["id"] for _ in range(7)]
    found: list[str] = []
    query = "status=all&direction=asc&limit=3"
    while True:
        after = f"&after_order_id={found[-1]}" if found else ""
        page = (await http.get(f"/v2/orders?{query}{after}")).json()
        found += [order["id"] for order in page]
        if len(page) < 3:
            break
    assert found == made
    before = (await http.get(f"/v2/orders?limit=2&before_order_id={made[4]}")).json()
    assert [order["id"] for order in before] == [made[3], made[2]]
    naive = (await http.get("/v2/orders?after=2025-01-01T00:00:05")).json()
    assert len(naive) == 4
    assert (await http.get("/v2/orders?until=0001-01-01T00:00:00%2B14:00")).json() == []


async def test_long_answers_leave_the_loop_to_others(http, desk):
    for number in range(1000):
        desk.prices.add(f"S:SYM{number}")
        await desk.change(lambda broker, now: broker.submit({**LIMIT, "qty": "0.1"}, now))

    async def others(path: str, method: str = "GET") -> tuple[int, int]:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(count())
        answer = await http.request(method, path)
        task.cancel()
        return len(answer.json()), turns

    _, few = await others("/v2/clock")
    for method, path, count, slices in (
        ("GET", "/v2/orders?limit=500", 500, 4 + 20),
        ("GET", "/v2/orders?status=all&limit=500&side=sell", 0, 4),
        ("GET", "/v2/assets", 1003, 11),
        ("DELETE", "/v2/orders", 1000, 40),
    ):
        found, turns = await others(path, method)
        assert found == count
        assert turns >= few + slices - 2


async def test_unknown_words_in_a_query_are_passed_over(http):
    assert (await http.get("/v2/orders?asset_class=us_equity&x=1")).status_code == 200
