"""What a strategy asks of a desk, as it stands on the wire, and what it makes of the answers."""

from decimal import Decimal

import pytest

import fastrouter
from fastrouter.errors import ConnectionFailed, OrderError

from .desk import HANG_UP, ORDER, Desk, at

POSITION = {
    "symbol": "C:BTCUSD",
    "side": "long",
    "qty": "2",
    "avg_entry_price": "10.25",
    "market_value": "21",
    "cost_basis": "20.5",
    "unrealized_pl": "0.5",
    "current_price": "10.5",
}
ACCOUNT = {
    "id": "paper",
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "99979.5",
    "equity": "100000.5",
    "buying_power": "99979.5",
}


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch):
    for name in ("PROXY_REST_URL", "PROXY_TOKEN", "STRATEGY_ID"):
        monkeypatch.delenv(name, raising=False)


async def test_where_and_who_is_in_the_environment(monkeypatch):
    desk = Desk((200, ORDER))
    async with at(desk) as url:
        monkeypatch.setenv("PROXY_REST_URL", f"{url}/v1/runs/main")
        monkeypatch.setenv("PROXY_TOKEN", "t")
        monkeypatch.setenv("STRATEGY_ID", "s-1")
        async with fastrouter.trading() as trading:
            order = await trading.submit("C:BTCUSD", "buy", 1.5)
    (asked,) = desk.asked
    assert asked.line == "POST /v1/runs/main/v2/orders"
    assert asked.headers["authorization"] == "Bearer t"
    assert asked.body == {
        "symbol": "C:BTCUSD",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "qty": "1.5",
        "strategy_id": "s-1",
    }
    assert (order.id, order.qty, order.filled_qty) == ("o-1", Decimal("1.5"), 0)
    assert order.filled_avg_price is None
    assert order.is_open
    assert order.said["asset_class"] == "crypto"


async def test_another_address_does_not_get_the_environments_token(monkeypatch):
    desk = Desk((200, ACCOUNT))
    monkeypatch.setenv("PROXY_TOKEN", "t")
    async with at(desk) as url, fastrouter.trading(url) as trading:
        await trading.account()
    assert "authorization" not in desk.asked[0].headers


async def test_an_order_whose_answer_is_lost_is_sent_again_and_is_one(surroundings, naps):
    desk = Desk(HANG_UP, (200, ORDER), HANG_UP, (200, ORDER))
    async with at(desk) as url, fastrouter.trading(url, surroundings=surroundings) as trading:
        await trading.submit("C:BTCUSD", "buy", Decimal("1.50"), type="limit", limit_price="10")
        await trading.replace("o/1", qty=2)
    first, again, third, fourth = desk.asked
    assert first == again
    assert first.body["qty"] == "1.50"
    assert third == fourth
    assert third.line == "PATCH /v2/orders/o%2F1"
    assert set(third.body) == {"qty", "client_order_id"}
    assert len(first.body["client_order_id"]) == len(third.body["client_order_id"]) == 32
    assert "idempotency-key" not in first.headers


async def test_in_a_run_nothing_by_chance_is_told(surroundings, naps):
    """A lost answer is asked for again by a key; every order has its own, whoever sends it."""
    desk = Desk(
        HANG_UP, (200, ORDER), (200, ORDER), HANG_UP, (200, ORDER), (200, ORDER),
        (202, {"id": "evt_7"}),
    )  # fmt: skip
    async with at(desk) as url:
        run = f"{url}/v1/runs/main"
        async with fastrouter.trading(run, surroundings=surroundings) as trading:
            await trading.submit("C:BTCUSD", "buy", 1)
            await trading.submit("C:BTCUSD", "buy", 1)
            await trading.replace("o-1", qty=2)
        async with fastrouter.trading(run) as another:
            await another.submit("C:BTCUSD", "buy", 1, client_order_id="mine")
            await another.signal("C:BTCUSD", "BUY")
    first, again, second, third, fourth, given, signal = desk.asked
    assert first == again
    assert third == fourth
    keys = {one.headers["idempotency-key"] for one in desk.asked[:-1]}
    assert len(keys) == 4
    assert first.body == second.body
    assert "client_order_id" not in {**first.body, **third.body}
    assert given.body["client_order_id"] == "mine"
    assert "id" not in signal.body


async def test_the_rest_of_it():
    held = {"id": "o-1", "status": 200}
    desk = Desk(
        (207, [held]), (200, ORDER), (200, [ORDER, ORDER]), (200, [POSITION]), (200, POSITION),
        (404, {"code": "POSITION_NOT_FOUND", "message": "m"}), (200, ORDER),
        (207, [{"symbol": "C:BTCUSD", "status": 200}]), (200, ACCOUNT),
    )  # fmt: skip
    async with at(desk) as url, fastrouter.trading(url) as trading:
        assert await trading.cancel_all() == ["o-1"]
        assert (await trading.order("o-1")).symbol == "C:BTCUSD"
        assert len(await trading.orders("all", symbols=["A", "B"], limit=2)) == 2
        assert [one.qty for one in await trading.positions()] == [2]
        assert (await trading.position("C:BTCUSD")).avg_entry_price == Decimal("10.25")
        assert await trading.position("C:ETHUSD") is None
        assert (await trading.close("C:BTCUSD", "0.5")).id == "o-1"
        assert await trading.close_all() == ["C:BTCUSD"]
        assert (await trading.account()).equity == Decimal("100000.5")
    assert desk.lines == [
        "DELETE /v2/orders",
        "GET /v2/orders/o-1",
        "GET /v2/orders?status=all&limit=2&symbols=A%2CB",
        "GET /v2/positions",
        "GET /v2/positions/C:BTCUSD",
        "GET /v2/positions/C:ETHUSD",
        "DELETE /v2/positions/C:BTCUSD?qty=0.5",
        "DELETE /v2/positions",
        "GET /v2/account",
    ]


async def test_cancel(surroundings, naps):
    """A canceled order is canceled, also when the answer that said so was lost."""
    gone = (422, {"code": "ORDER_NOT_OPEN", "message": "it is canceled"})
    desk = Desk(
        (204, None), HANG_UP, gone, (200, ORDER | {"status": "canceled"}),
        gone, (200, ORDER | {"status": "filled"}),
    )  # fmt: skip
    async with at(desk) as url, fastrouter.trading(url, surroundings=surroundings) as trading:
        await trading.cancel("o-1")
        await trading.cancel("o-1")
        with pytest.raises(OrderError) as caught:
            await trading.cancel("o-1")
    assert caught.value.code == "ORDER_NOT_OPEN"


async def test_signals(monkeypatch):
    monkeypatch.setenv("STRATEGY_ID", "s-1")
    desk = Desk((202, {"id": "evt_7"}), HANG_UP)
    async with at(desk) as url, fastrouter.trading(url) as trading:
        sent = await trading.signal("C:BTCUSD", "BUY", confidence=0.9, price=1.5, timeframe="1m")
        with pytest.raises(ConnectionFailed):  # it could be heard twice
            await trading.signal("C:BTCUSD", "SELL")
    assert sent == "evt_7"
    asked = desk.asked[0]
    assert asked.line == "POST /v1/signals"
    assert asked.body.pop("id").startswith("sig_")
    assert asked.body == {
        "strategy_id": "s-1",
        "symbol": "C:BTCUSD",
        "action": "BUY",
        "confidence": 0.9,
        "price": 1.5,
        "timeframe": "1m",
    }


async def test_symbols_are_those_of_events():
    order = {**ORDER, "symbol": "BTCUSD", "topic_symbol": "C:BTCUSD"}
    desk = Desk((200, order), (207, [{"symbol": "BTCUSD", "status": 200, "body": order}]))
    async with at(desk) as url, fastrouter.trading(url) as trading:
        assert (await trading.order("o-1")).symbol == "C:BTCUSD"
        assert await trading.close_all() == ["C:BTCUSD"]


@pytest.mark.parametrize("said", [[], 7, None, {"qty": "x"}, {"filled_qty": []}])
async def test_an_answer_that_is_none(said):
    desk = Desk((200, said), (200, {"not": "a list"}))
    async with at(desk) as url, fastrouter.trading(url) as trading:
        with pytest.raises(ConnectionFailed, match="answers without the order"):
            await trading.order("o-1")
        with pytest.raises(ConnectionFailed, match="answers without the list"):
            await trading.orders()


@pytest.mark.parametrize("url", ["ws://h", "http://", "http://h:0", "http://h?q"])
def test_a_url_that_is_none(url):
    with pytest.raises(ConnectionFailed) as caught:
        fastrouter.trading(url)
    assert caught.value.code == "INVALID_URL"
