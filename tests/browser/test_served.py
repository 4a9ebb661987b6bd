"""The SDK in node, against `fastrouter serve`."""

from __future__ import annotations

import asyncio

import pytest

from tests import node
from tests.browser.sdk import Sdk
from tests.served import Served


@pytest.fixture(autouse=True)
def _node() -> None:
    node.need("ws", at_least=20)


async def test_it_subscribes_and_goes_on_over_a_restart():
    with Served("--symbols", "S:AAPL,S:MSFT", "--rate", "200") as server:
        async with Sdk(server.url(8082, "/"), subscriptions="S:MSFT:candle") as sdk:
            assert await sdk.told("connected") is True
            sdk.call("subscribe", "S:AAPL:quote")
            held = (await sdk.message("subscribed"))["data"]["subscriptions"]
            assert held == ["S:MSFT:candle", "S:AAPL:quote"]
            assert (await sdk.message("quote"))["data"]["symbol"] == "S:AAPL"
            sdk.call("unsubscribe", ["S:MSFT:candle"])
            await sdk.message("unsubscribed")
            await asyncio.to_thread(server.restart)
            assert [await sdk.told("connected") for _ in range(2)] == [False, True]
            assert (await sdk.message("connection"))["data"]["event"] == "DISCONNECTING"
            assert (await sdk.message("connection"))["data"]["event"] == "CONNECTED"
            assert (await sdk.message("quote"))["data"]["symbol"] == "S:AAPL"


async def test_it_sends_ping_where_clients_do():
    with Served("--rate", "0.001") as server:
        options = {"dialect": None, "heartbeatInterval": 100, "pongTimeout": 5000}
        async with Sdk(server.url(8080), **options) as sdk:
            assert (await sdk.message("Connected"))["data"]["client_id"]
            assert (await sdk.message("Pong"))["data"]["timestamp"]
        async with Sdk(server.url(8000), **options) as sdk:
            assert (await sdk.message("connection"))["message"]
            assert (await sdk.message("Pong"))["data"]["timestamp"]


async def test_a_dialect_of_another_system():
    with Served("--rate", "200") as server:
        async with Sdk(server.url(8082, "/"), dialect="dgbit") as sdk:
            assert (await sdk.message("quote"))["payload"]["symbol"]
