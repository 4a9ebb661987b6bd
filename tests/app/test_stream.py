"""Alpaca's stream: bytes on a socket, and the unmodified `TradingStream` beside REST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from fastrouter import Router, config
from fastrouter.app.endpoints import ROUTES
from fastrouter.app.parts import Parts
from fastrouter.app.rest import Rest
from fastrouter.net.server import Server
from fastrouter.session.auth import Verifier

from ..control.memory import MemoryDesk
from ..net.wire import Wire, until
from ..tokens import SECRET, hs256

LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
def desk(router) -> MemoryDesk:
    desk = MemoryDesk(router)
    desk.quote("S:AAPL", 150, 150.5)
    return desk


@pytest.fixture
async def serve(router, desk) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start the port ``rest`` over the desk."""
    closing = []

    async def start(verifier: Verifier | None = None) -> Server:
        group = router.group(verifier=verifier)
        routes = ROUTES["rest"]
        rest = await Rest.start(
            Parts(router, verifier, desk), group, config.load(None).settings, routes
        )
        closing.append((group, rest))
        return await group.serve("127.0.0.1", 0, routes, speaks=rest.speaks)

    yield start
    for group, rest in closing:
        await group.close(0.2)
        await rest.close()


async def submit(desk: MemoryDesk, **fields: Any) -> dict[str, Any]:
    wanted = {"symbol": "AAPL", "side": "buy", "qty": "10", **fields}
    change = await desk.change(lambda broker, now: broker.submit(wanted, now))
    return change.order._asdict()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Server], Awaitable[Wire]]]:
    """Open sessions that are hung up at the end."""
    wires: list[Wire] = []

    async def start(server: Server) -> Wire:
        wire = await Wire.open(server.port, "/stream")
        wires.append(wire)
        assert (await wire.response())[0] == 101
        return wire  # there is no welcome

    yield start
    for wire in wires:
        await wire.bye()


async def test_bytes_on_a_socket(serve, connect, desk):
    server = await serve(Verifier(secret=SECRET))
    wire = await connect(server)
    secret = hs256(accounts=["paper"])
    wire.say({"action": "authenticate", "data": {"key_id": "k", "secret_key": secret}})
    assert await wire.message() == {
        "stream": "authorization",
        "data": {"action": "authenticate", "status": "authorized"},
    }
    wire.say(LISTEN)
    assert await wire.message() == {
        "stream": "listening",
        "data": {"streams": ["trade_updates"]},
    }
    order = await submit(desk)
    update = await wire.message()
    assert (update["stream"], update["data"]["event"]) == ("trade_updates", "new")
    assert update["data"]["order"]["id"] == order["id"]
    desk.quote("S:AAPL", 150, 150.5, size=4)
    data = (await wire.message())["data"]
    assert [data[name] for name in ("event", "price", "qty", "position_qty")] == [
        *("partial_fill", "150.5", "4", "4")
    ]
    desk.quote("S:AAPL", 150, 151.5)
    data = (await wire.message())["data"]
    assert [data[name] for name in ("event", "price", "qty", "position_qty")] == [
        *("fill", "151.5", "6", "10")
    ]
    assert data["order"]["filled_avg_price"] == "151.1"


async def test_accounts_of_others_are_not_shown(serve, connect, desk):
    server = await serve(Verifier(secret=SECRET))
    wire = await connect(server)
    wire.say({"action": "auth", "key": "k", "secret": hs256(accounts=["other"])})
    wire.say(LISTEN)
    assert [(await wire.message())["stream"] for _ in range(2)] == ["authorization", "listening"]
    await submit(desk)
    wire.say({"action": "listen", "data": {"streams": []}})
    assert (await wire.message())["stream"] == "listening"


async def test_the_streams_order_is_rests(serve, connect, desk):
    """… field for field, whatever happens to it."""
    server = await serve()
    wire = await connect(server)
    wire.say(LISTEN)
    await wire.message()
    url = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:

        async def same(event: str) -> dict[str, Any]:
            data = (await wire.message())["data"]
            assert data["event"] == event
            order = data["order"]
            assert (await http.get(f"/v2/orders/{order['id']}")).json() == order
            return order

        async def post(**fields: Any) -> httpx.Response:
            wanted = {"symbol": "AAPL", "side": "buy", **fields}
            return await http.post("/v2/orders", json=wanted)

        assert (await post(notional="301")).status_code == 200
        await same("new")
        desk.quote("S:AAPL", 150, 150.5)
        await same("fill")
        assert (await post(qty=10_000)).status_code == 403
        assert (await same("rejected"))["code"] == "INSUFFICIENT_BALANCE"
        limit = {"type": "limit", "limit_price": "100", "qty": "2"}
        assert (await post(**limit, strategy_id="s")).status_code == 200
        order = await same("new")
        await http.patch(f"/v2/orders/{order['id']}", json={"qty": 3})
        assert (await same("replaced"))["id"] == order["id"]
        order = await same("new")
        assert (await http.delete(f"/v2/orders/{order['id']}")).status_code == 204
        await same("canceled")
        assert (await post(**limit)).status_code == 200
        await same("new")
        day = 86_400 * 10**9
        await desk.change(lambda broker, now: broker.on_clock(now + day))
        await same("expired")


@pytest.fixture
def stream_class() -> Any:
    stream = pytest.importorskip("alpaca.trading.stream", reason="alpaca-py is not installed")
    return stream.TradingStream


@pytest.mark.parametrize("auth", [False, True])
async def test_alpacas_own_stream(serve, desk, stream_class, auth):
    server = await serve(Verifier(secret=SECRET) if auth else None)
    secret = hs256(accounts=["paper"]) if auth else "anything"
    stream = stream_class("key", secret, url_override=f"ws://127.0.0.1:{server.port}/stream")
    updates: list[Any] = []

    async def heard(update: Any) -> None:
        updates.append(update)

    stream.subscribe_trade_updates(heard)
    running = asyncio.create_task(asyncio.to_thread(stream.run))
    try:
        await until(lambda: any(one.session.held for one in server.listeners))
        order = await submit(desk)
        desk.quote("S:AAPL", 150, 150.5)
        await until(lambda: len(updates) == 2)
        assert [update.event for update in updates] == ["new", "fill"]
        assert [str(update.order.id) for update in updates] == [order["id"]] * 2
        assert (updates[1].price, updates[1].qty, updates[1].position_qty) == (150.5, 10, 10)
        assert updates[1].order.status == "filled"
    finally:
        stream.stop()
        await submit(desk)  # it looks whether it should stop when something comes
        await running
