"""The unmodified `alpaca-py` against the trading API, over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from fastrouter.control.desks import Desks
from fastrouter.control.guard import Guard
from fastrouter.control.port import Port
from fastrouter.control.rest import build
from fastrouter.control.trading import trading
from fastrouter.session.auth import Verifier

from ..tokens import SECRET, hs256
from .memory import MemoryDesk

pytest.importorskip("alpaca", reason="alpaca-py is not installed")

from alpaca.common.exceptions import APIError
from alpaca.trading import requests as ask
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    QueryOrderStatus,
    TimeInForce,
)

BUY, SELL = OrderSide.BUY, OrderSide.SELL
DAY, GTC = TimeInForce.DAY, TimeInForce.GTC


def application(desk: MemoryDesk, verifier: Verifier | None = None) -> FastAPI:
    guard = Guard(verifier, lambda: 0.0, ())
    return build([trading(Desks(guard, desk, lambda run_id, subject: desk))])


@pytest.fixture
def desk() -> MemoryDesk:
    desk = MemoryDesk()
    desk.quote("S:AAPL", 150, 150.5)
    desk.quote("S:MSFT", 400, 400.25)
    desk.quote("C:BTCUSD", 60_000, 60_001)
    return desk


Call = Callable[..., Any]


class Client:
    """A `TradingClient` whose calls are made in a thread."""

    def __init__(self, url: str, secret: str = "secret", **more: Any) -> None:
        self.client = TradingClient("key", secret, url_override=url, **more)
        self.client._session.trust_env = False

    def __getattr__(self, name: str) -> Call:
        return lambda *given: asyncio.to_thread(getattr(self.client, name), *given)

    async def refused(self, name: str, *given: Any) -> tuple[int, Any]:
        with pytest.raises(APIError) as caught:
            await getattr(self, name)(*given)
        assert caught.value.message
        return caught.value.status_code, caught.value.code


@pytest.fixture
async def port(desk) -> AsyncIterator[Port]:
    port = await Port.open(application(desk), "127.0.0.1", 0)
    yield port
    await port.close()


@pytest.fixture(params=["", "/v1/strategies/mine", "/v1/runs/r1"])
def client(request, port) -> Client:
    return Client(port.url + request.param)


async def test_the_four_types(client, desk):
    orders = [
        ask.MarketOrderRequest(symbol="AAPL", qty=10, side=BUY, time_in_force=DAY),
        ask.LimitOrderRequest(
            symbol="AAPL", qty=1.5, side=BUY, time_in_force=GTC, limit_price=149.99
        ),
        ask.StopOrderRequest(
            symbol="S:AAPL", qty=2, side=BUY, time_in_force=GTC, stop_price=160.125
        ),
        ask.StopLimitOrderRequest(
            symbol="BTC/USD",
            qty=0.1,
            side=BUY,
            time_in_force=GTC,
            stop_price=61_000,
            limit_price=61_500,
            client_order_id="mine",
        ),
    ]
    made = [await client.submit_order(order) for order in orders]
    assert [one.type for one in made] == [
        OrderType.MARKET,
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.STOP_LIMIT,
    ]
    assert {one.status for one in made} == {OrderStatus.NEW}
    assert [one.symbol for one in made] == ["AAPL", "AAPL", "AAPL", "BTCUSD"]
    assert [one.qty for one in made] == ["10", "1.5", "2", "0.1"]
    assert (made[1].limit_price, made[2].stop_price) == ("149.99", "160.125")
    assert made[3].client_order_id == "mine"
    assert made[3].asset_class == AssetClass.CRYPTO
    desk.quote("S:AAPL", 150, 150.5)
    market = await client.get_order_by_id(made[0].id)
    assert (market.status, market.filled_avg_price) == (OrderStatus.FILLED, "150.5")
    assert market.filled_at > market.submitted_at
    assert (await client.get_order_by_client_id("mine")).id == made[3].id
    listed = await client.get_orders()
    assert [one.id for one in listed] == [one.id for one in reversed(made[1:])]


async def test_by_notional(client, desk):
    wanted = ask.MarketOrderRequest(symbol="AAPL", notional=301, side=BUY, time_in_force=DAY)
    order = await client.submit_order(wanted)
    assert (order.notional, order.qty) == ("301", None)
    desk.quote("S:AAPL", 150, 150.5)
    order = await client.get_order_by_id(order.id)
    assert (order.status, order.filled_qty) == (OrderStatus.FILLED, "2")


async def test_listing(client, desk):
    for number in range(6):
        symbol = ("AAPL", "MSFT", "BTC/USD")[number % 3]
        wanted = ask.LimitOrderRequest(
            symbol=symbol, qty=1, side=BUY, time_in_force=GTC, limit_price=number + 1
        )
        await client.submit_order(wanted)
    first, *_ = found = await client.get_orders(ask.GetOrdersRequest(direction="asc"))
    await client.cancel_order_by_id(first.id)

    async def prices(**given: Any) -> list[int]:
        asked = ask.GetOrdersRequest(**given)
        return [int(one.limit_price) for one in await client.get_orders(asked)]

    assert [int(one.limit_price) for one in found] == [1, 2, 3, 4, 5, 6]
    assert await prices() == [6, 5, 4, 3, 2]
    assert await prices(status=QueryOrderStatus.CLOSED) == [1]
    assert await prices(status=QueryOrderStatus.ALL, limit=2) == [6, 5]
    assert await prices(status=QueryOrderStatus.ALL, direction="asc", limit=2) == [1, 2]
    middle = found[3].submitted_at
    assert await prices(status=QueryOrderStatus.ALL, after=middle) == [6, 5]
    assert await prices(status=QueryOrderStatus.ALL, until=middle) == [3, 2, 1]
    assert await prices(symbols=["BTC/USD", "S:AAPL", "NOPE"]) == [6, 4, 3]
    assert await prices(side=SELL) == []
    assert await prices(nested=True, limit=500) == [6, 5, 4, 3, 2]


async def test_replacing(client, desk):
    limit = ask.LimitOrderRequest(
        symbol="AAPL", qty=4, side=BUY, time_in_force=GTC, limit_price=140
    )
    old = await client.submit_order(limit)
    change = ask.ReplaceOrderRequest(qty=6, limit_price=141.5, client_order_id="second")
    new = await client.replace_order_by_id(old.id, change)
    assert (new.qty, new.limit_price, new.client_order_id) == ("6", "141.5", "second")
    assert new.replaces == old.id
    old = await client.get_order_by_id(old.id)
    assert (old.status, old.replaced_by) == (OrderStatus.REPLACED, new.id)
    assert await client.replace_order_by_id(old.id, change) == new
    change = ask.ReplaceOrderRequest(qty=7, client_order_id="second")
    assert await client.refused("replace_order_by_id", old.id, change) == (422, 40010001)
    change = ask.ReplaceOrderRequest(qty=7)
    assert await client.refused("replace_order_by_id", old.id, change) == (422, 42210000)
    change = ask.ReplaceOrderRequest(trail=1.5)
    assert await client.refused("replace_order_by_id", new.id, change) == (422, 42210000)


async def test_canceling(client, desk):
    limit = ask.LimitOrderRequest(
        symbol="AAPL", qty=4, side=BUY, time_in_force=GTC, limit_price=140
    )
    one, two, three = [await client.submit_order(limit) for _ in range(3)]
    assert await client.cancel_order_by_id(one.id) is None
    assert (await client.get_order_by_id(one.id)).status == OrderStatus.CANCELED
    assert await client.refused("cancel_order_by_id", one.id) == (422, 42210000)
    answers = await client.cancel_orders()
    assert [(answer.id, answer.status) for answer in answers] == [(two.id, 200), (three.id, 200)]
    assert {answer.body["status"] for answer in answers} == {"canceled"}
    assert await client.cancel_orders() == []
    assert await client.get_orders() == []


async def hold(client: Client, desk: MemoryDesk, symbol: str, qty: float) -> None:
    wanted = ask.MarketOrderRequest(symbol=symbol, qty=qty, side=BUY, time_in_force=GTC)
    await client.submit_order(wanted)
    desk.quote("S:AAPL", 150, 150.5)
    desk.quote("C:BTCUSD", 60_000, 60_001)


async def test_positions(client, desk):
    await hold(client, desk, "AAPL", 10)
    await hold(client, desk, "BTCUSD", 0.5)
    crypto, equity = await client.get_all_positions()
    assert (crypto.symbol, crypto.asset_class) == ("BTCUSD", AssetClass.CRYPTO)
    assert (equity.symbol, equity.qty, equity.side) == ("AAPL", "10", PositionSide.LONG)
    assert (equity.avg_entry_price, equity.cost_basis) == ("150.5", "1505")
    assert (equity.market_value, equity.current_price) == ("1500", "150")
    assert (equity.unrealized_pl, equity.unrealized_plpc) == ("-5", "-0.0033222591")
    for name in ("AAPL", "S:AAPL", str(equity.asset_id), equity.asset_id):
        assert await client.get_open_position(name) == equity
    for name in ("BTC/USD", "BTCUSD", "C:BTCUSD", crypto.asset_id):
        assert await client.get_open_position(name) == crypto
    for name in ("MSFT", "NOPE", UUID(int=7)):
        assert await client.refused("get_open_position", name) == (404, 40410000)
        assert await client.refused("close_position", name) == (404, 40410000)


async def test_closing_a_position(client, desk):
    await hold(client, desk, "AAPL", 10)
    half = await client.close_position("AAPL", ask.ClosePositionRequest(percentage="25"))
    assert (half.qty, half.side, half.type) == ("2.5", SELL, OrderType.MARKET)
    position = await client.get_open_position("AAPL")
    assert (position.qty, position.qty_available) == ("10", "7.5")
    some = await client.close_position("S:AAPL", ask.ClosePositionRequest(qty="1.5"))
    assert some.qty == "1.5"
    much = ask.ClosePositionRequest(qty="6.5")
    assert await client.refused("close_position", "AAPL", much) == (403, 40310000)
    desk.quote("S:AAPL", 150, 150.5)
    assert (await client.get_open_position("AAPL")).qty == "6"
    rest = await client.close_position("AAPL")
    assert rest.qty == "6"
    desk.quote("S:AAPL", 150, 150.5)
    assert await client.get_all_positions() == []


async def test_closing_all(client, desk):
    await hold(client, desk, "AAPL", 10)
    await hold(client, desk, "BTC/USD", 0.5)
    limit = ask.LimitOrderRequest(symbol="MSFT", qty=1, side=BUY, time_in_force=GTC, limit_price=1)
    await client.submit_order(limit)
    crypto, equity = await client.close_all_positions()
    assert (crypto.symbol, crypto.status, crypto.body.qty) == ("BTCUSD", 200, "0.5")
    assert (equity.symbol, equity.order_id) == ("AAPL", equity.body.id)
    assert len(await client.get_orders()) == 3
    again = await client.close_all_positions(True)
    assert [one.symbol for one in again] == ["BTCUSD", "AAPL"]
    assert len(await client.get_orders()) == 2
    desk.quote("S:AAPL", 150, 150.5)
    desk.quote("C:BTCUSD", 60_000, 60_001)
    assert await client.get_all_positions() == []
    assert await client.close_all_positions(True) == []


async def test_account(client, desk):
    account = await client.get_account()
    assert (account.cash, account.equity, account.buying_power) == ("100000",) * 3
    assert (account.account_number, account.currency) == ("paper", "USD")
    await hold(client, desk, "AAPL", 10)
    account = await client.get_account()
    assert (account.cash, account.equity) == ("98495", "99995")
    assert (account.last_equity, account.long_market_value) == ("100000", "1500")
    assert account.trading_blocked is False


async def test_clock(client, desk):
    clock = await client.get_clock()
    assert clock.is_open
    assert clock.timestamp.timestamp() * 10**9 == desk.now()
    assert clock.next_close > clock.timestamp


async def test_assets(client, desk):
    assets = await client.get_all_assets()
    assert [(one.symbol, one.name) for one in assets] == [
        ("BTCUSD", "C:BTCUSD"),
        ("AAPL", "S:AAPL"),
        ("MSFT", "S:MSFT"),
    ]
    wanted = ask.GetAssetsRequest(asset_class=AssetClass.US_EQUITY, status="active")
    assert await client.get_all_assets(wanted) == assets[1:]
    assert await client.get_all_assets(ask.GetAssetsRequest(status="inactive")) == []
    for name in ("MSFT", "S:MSFT", assets[2].id):
        assert await client.get_asset(name) == assets[2]
    assert await client.get_asset("BTC/USD") == assets[0]
    assert await client.refused("get_asset", "NOPE") == (404, 40410000)


async def test_refusals(client, desk):
    def order(**more: Any) -> ask.MarketOrderRequest:
        return ask.MarketOrderRequest(
            **{"symbol": "AAPL", "qty": 1, "side": BUY, "time_in_force": DAY, **more}
        )

    async def refused(wanted: ask.OrderRequest) -> tuple[int, Any]:
        return await client.refused("submit_order", wanted)

    assert await refused(order(qty=10_000)) == (403, 40310000)
    assert await refused(order(side=SELL)) == (403, 40310000)
    assert await refused(order(symbol="NOPE")) == (422, 42210000)
    assert await refused(order(time_in_force=TimeInForce.OPG)) == (422, 42210000)
    assert await refused(order(extended_hours=True)) == (422, 42210000)
    trailing = ask.TrailingStopOrderRequest(
        symbol="AAPL", qty=1, side=SELL, time_in_force=DAY, trail_percent=1
    )
    assert await refused(trailing) == (422, 42210000)
    bracket = order(
        order_class="bracket",
        take_profit=ask.TakeProfitRequest(limit_price=200),
        stop_loss=ask.StopLossRequest(stop_price=100),
    )
    assert await refused(bracket) == (422, 42210000)
    first = await client.submit_order(order(client_order_id="same"))
    assert await client.submit_order(order(client_order_id="same")) == first
    assert await refused(order(client_order_id="same", qty=2)) == (422, 40010001)
    missing = str(UUID(int=7))
    for call in ("get_order_by_id", "cancel_order_by_id", "replace_order_by_id"):
        assert await client.refused(call, missing) == (404, 40410000)
    assert await client.refused("get_order_by_client_id", "missing") == (404, 40410000)


async def test_the_secret_is_a_token(desk):
    verifier = Verifier(secret=SECRET)
    port = await Port.open(application(desk, verifier), "127.0.0.1", 0)
    try:
        mine = Client(port.url, hs256(accounts=["paper"]))
        assert (await mine.get_account()).account_number == "paper"
        assert (await Client(port.url, hs256(admin=True)).get_account()).cash == "100000"
        others = Client(port.url, hs256(accounts=["other"]))
        assert await others.refused("get_account") == (403, "FORBIDDEN")
        liar = Client(port.url, "secret")
        assert await liar.refused("get_account") == (401, "NOT_AUTHENTICATED")
        bearer = TradingClient(oauth_token=hs256(accounts=["paper"]), url_override=port.url)
        assert (await asyncio.to_thread(bearer.get_account)).account_number == "paper"
    finally:
        await port.close()
