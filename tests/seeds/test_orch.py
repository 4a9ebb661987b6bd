"""ORCH: its messages as they are on 8082, 3001 and 3002, and its service by the SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests import node
from tests.browser.sdk import MODULE, Sdk
from tests.seeds import examples
from tests.seeds.program import Program, client
from tests.seeds.system import system


async def message(ws: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await ws.recv())
    return found


#: what is published -> the message's type, and its data as the page shows it
STRATEGY = {"strategyId": "strategy-123", "name": "Moving Average Crossover"}
EVENTS = [
    (
        ("strategy", examples.STRATEGY_STARTED),
        "strategy_started",
        {**STRATEGY, "symbols": ["AAPL", "MSFT"]},
    ),
    (("strategy", examples.STRATEGY_STOPPED), "strategy_stopped", STRATEGY),
    (("strategy", examples.STRATEGY_PAUSED), "strategy_paused", STRATEGY),
    (("strategy", examples.SERVICE_STATUS), "execution_service_status", {"status": "RUNNING"}),
    (
        ("strategy", examples.STATUS_LIST),
        "strategy_status_list",
        examples.STATUS_LIST["strategies"],
    ),
    (
        ("signal", {
            "id": "sig_123456789",
            "strategy_id": "strategy-123",
            "strategy": "Moving Average Crossover",
            "symbol": "AAPL",
            "price": 152.75,
            "action": "BUY",
            "quantity": 10,
            "metadata": {"orderType": "MARKET"},
            "timestamp": "2023-07-10T12:34:56Z",
            "confidence": 0.9,
        }),
        "strategy_signal",
        {
            "id": "sig_123456789",
            "strategyId": "strategy-123",
            "name": "Moving Average Crossover",
            "symbol": "AAPL",
            "price": 152.75,
            "action": "BUY",
            "quantity": 10,
            "metadata": {"orderType": "MARKET"},
            "timestamp": "2023-07-10T12:34:56Z",
            "confidence": 0.9,
        },
    ),
    (
        ("trade", {
            "id": "trade_123456789",
            "strategy_id": "strategy-123",
            "order_id": "order-123",
            "symbol": "AAPL",
            "side": "BUY",
            "executed_quantity": 10,
            "executed_price": 152.75,
            "entry_time": "2023-07-10T12:34:56Z",
            "timestamp": "2023-07-10T12:34:56Z",
        }),
        "strategy_trade",
        {
            "id": "trade_123456789",
            "strategyId": "strategy-123",
            "orderId": "order-123",
            "symbol": "AAPL",
            "side": "BUY",
            "quantity": 10,
            "entryPrice": 152.75,
            "entryTime": "2023-07-10T12:34:56Z",
            "status": "FILLED",
            "timestamp": "2023-07-10T12:34:56Z",
        },
    ),
]  # fmt: skip


async def test_notifications_on_8082_after_the_first_command():
    async with system() as running, connect(running.url(8082, "/")) as ws:
        assert (await message(ws))["event"] == "CONNECTED"
        await ws.send('{"type": "get_active_strategies"}')
        answer = await message(ws)
        assert list(answer) == ["type", "timestamp", "data"]
        assert (answer["type"], answer["data"]) == ("strategy_status_list", [])
        for event, kind, data in EVENTS:
            running.publish(*event)
            found = await message(ws)
            assert list(found) == ["type", "timestamp", "data"]
            assert (found["type"], found["data"]) == (kind, data)
        running.publish(examples.quote())
        assert "quote" in await message(ws), "the rest stays as it was"


@pytest.mark.parametrize("command", ["start_strategy", "stop_strategy", "pause_strategy"])
async def test_commands_for_a_strategy_that_nobody_has(command: str):
    config = {
        "symbols": ["AAPL", "MSFT"],
        "dataResolution": "1m",
        "realTrading": False,
        "maxPositionValue": 10000,
        "maxOrdersPerMinute": 5,
        "stopLossPercentage": 0.02,
    }
    async with system() as running, connect(running.url(8082, "/")) as ws:
        await message(ws)
        await ws.send(json.dumps({"type": command, "id": "strategy-id", "config": config}))
        error = await message(ws)
        assert error["type"] == "error"
        assert (error.get("data") or error)["code"] == "UNKNOWN_STRATEGY"


async def test_the_market_data_gateway():
    async with system() as running, connect(running.url(3001)) as ws:
        assert list(await message(ws)) == ["type", "timestamp", "data"]
        running.publish("risk", examples.RISK)  # not for this port
        running.publish(examples.quote())
        quote = await message(ws)
        assert list(quote) == ["type", "timestamp", "data"]
        assert quote["type"] == "quote"
        assert (quote["data"]["symbol"], quote["data"]["bid"]) == ("S:AAPL", 150.25)
        running.publish(examples.candle())
        assert (await message(ws))["data"]["close"] == 46319.5


async def test_the_risk_guardian():
    async with system() as running, connect(running.url(3002)) as ws:
        await message(ws)
        running.publish(examples.quote())  # not for this port
        for event, kind in [
            (("risk", examples.RISK), "risk_limit_breached"),
            (("risk", {**examples.RISK, "event": "status"}), "risk_status"),
            (("order", examples.ORDER), "order"),
            (("trade", examples.TRADE), "strategy_trade"),
            (("position", examples.POSITION_OPENED), "position"),
            (("account", examples.ACCOUNT), "account"),
        ]:
            running.publish(*event)
            assert (await message(ws))["type"] == kind


@pytest.mark.parametrize(("port", "path"), [(8082, "/"), (3001, "/ws"), (3002, "/ws")])
async def test_what_cannot_be_processed_is_told_and_the_connection_stays(port: int, path: str):
    async with system() as running, connect(running.url(port, path)) as ws:
        await message(ws)
        for rubbish in ("{", "[]", '{"type": "nonsense"}'):
            await ws.send(rubbish)
            error = await message(ws)
            assert error["type"] == "error"
            assert (error.get("data") or error)["code"] == "INVALID_MESSAGE"


#: what the page leaves to its reader
HANDLED = {
    "// Handle the signal": "console.log('signal', signal.strategyId, signal.action);",
    "// Handle the trade": "console.log('trade', trade.id, trade.side);",
    "// Handle the update": "console.log('update', update.type);",
}


def frontend(url: str) -> str:
    """The page's own lines, once there is what they take for granted."""
    code = client("orch_frontend.js")
    for place, handling in HANDLED.items():
        code = code.replace(place, handling)
    return f"""
        globalThis.WebSocket ??= require('ws');
        import('{MODULE.as_uri()}').then(({{ createWebSocketService }}) => {{
            const strategyId = 'strategy-123';
            const webSocketService = createWebSocketService('{url}');
            webSocketService.on('connection', () =>
                console.log('connected', webSocketService.isConnected()));
            {code}
        }});
    """


async def test_the_lines_of_its_page():
    node.need("ws", at_least=20)
    async with (
        system() as running,
        Program.node(frontend(running.url(8082, "/"))) as program,
    ):
        assert await program.line() == "connected true"
        for index in (0, 5, 6):
            running.publish(*EVENTS[index][0])
        assert await program.lines(3) == [
            "update strategy_started",
            "signal strategy-123 BUY",
            "trade trade_123456789 BUY",
        ]


async def test_its_service():
    node.need("ws", at_least=20)
    async with system() as running, Sdk(running.url(8082, "/")) as sdk:
        assert await sdk.told("connected") is True
        await sdk.message("connection")
        for event, kind, _ in EVENTS:
            running.publish(*event)
            await sdk.message(kind)
        updates = [await sdk.told("update") for _ in range(5)]
        assert [(one["type"], one["data"]) for one in updates] == [
            (kind, data) for _, kind, data in EVENTS[:5]
        ]
        assert await sdk.told("signal") == EVENTS[5][2]
        assert await sdk.told("trade") == EVENTS[6][2]
        sdk.call("getActiveStrategies")
        assert (await sdk.told("update"))["data"] == []
        sdk.call("startStrategy", "unknown", {"symbols": ["AAPL"]})
        assert (await sdk.message("error"))["data"]["code"] == "UNKNOWN_STRATEGY"


async def test_its_service_goes_on_over_a_restart():
    node.need("ws", at_least=20)
    async with system() as running, Sdk(running.url(8082, "/")) as sdk:
        await sdk.message("connection")
        await running.group.close(0)
        async with system(running.ports) as again:
            assert [await sdk.told("connected") for _ in range(3)] == [True, False, True]
            await sdk.message("connection")
            again.publish(*EVENTS[5][0])
            assert await sdk.told("signal") == EVENTS[5][2]
