"""GUIDE: connect to port 8082, wait for CONNECTED, handle events, answer pings, acknowledge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.seeds import examples
from tests.seeds.program import Program, client
from tests.seeds.system import system
from tests.served import Served

#: what the page leaves to its reader
AFTER = """
import asyncio

def handle_event(event):
    print(event["type"], event.get("event", "-"))

asyncio.run(connect())
"""

#: the page's own message
ACK = {
    "type": "event_ack",
    "correlation_id": "550e8400-e29b-41d4-a716-446655440000",
    "events_processed": ["evt_123", "evt_124"],
    "timestamp": 1700000000000,
}


async def message(ws: ClientConnection) -> dict:
    found: dict = json.loads(await ws.recv())
    return found


EVENTS = {
    "order": examples.ORDER,
    "position": examples.POSITION_OPENED,
    "account": examples.ACCOUNT,
    "trade": examples.TRADE,
}


async def test_its_client():
    async with (
        system() as running,
        Program.python(client("guide.py", running.ports) + AFTER) as program,
    ):
        assert await program.line() == "Connected to proxy"
        running.publish(examples.candle())
        running.publish(examples.quote())
        for kind, payload in EVENTS.items():
            running.publish(kind, payload)
        assert await program.lines(6) == [
            *("candle -", "quote -", "order ORDER_FILLED", "position -", "account -", "trade -")
        ]


async def test_the_messages_have_the_pages_form():
    async with system() as running, connect(running.url(8082, "/")) as ws:
        welcome = await message(ws)
        assert (welcome["type"], welcome["event"]) == ("connection", "CONNECTED")
        running.publish(examples.candle())
        running.publish(examples.quote())
        running.publish("order", examples.ORDER)
        candle, quote, order = [await message(ws) for _ in range(3)]
        assert list(candle) == ["type", "id", "bar", "timestamp"]
        assert list(quote) == ["type", "id", "quote", "timestamp"]
        assert list(order)[:2] == ["type", "event"], "event follows type"
        assert (order["event"], order["order"]["symbol"]) == ("ORDER_FILLED", "S:AAPL")
        for kind in ("position", "account", "trade"):
            running.publish(kind, EVENTS[kind])
            found = await message(ws)
            assert found["type"] == kind
            assert found[kind]["id"] == EVENTS[kind]["id"]


async def test_pong_keeps_it_and_acks_are_welcome():
    async with system(heartbeat=0.1) as running, connect(running.url(8082, "/")) as ws:
        await message(ws)
        for _ in range(5):
            assert (await message(ws))["type"] == "ping"
            await ws.send('{"type": "pong"}')
        await ws.send(json.dumps(ACK))
        assert (await message(ws))["type"] == "ping", "no answer, no error"


async def test_subscriptions_are_the_servers():
    async with (
        system(subscriptions="S:AAPL:candle,S:AAPL:quote,C:BTCUSD:candle") as running,
        connect(running.url(8082, "/")) as ws,
    ):
        await message(ws)
        running.publish(examples.quote("S:MSFT"))
        running.publish(examples.quote("C:BTCUSD"))
        running.publish("order", examples.ORDER)
        running.publish(examples.candle("S:MSFT"))
        running.publish(examples.candle("C:BTCUSD"))
        running.publish(examples.quote("S:AAPL"))
        assert (await message(ws))["bar"]["symbol"] == "C:BTCUSD"
        assert (await message(ws))["quote"]["symbol"] == "S:AAPL"


async def test_subscriptions_come_from_the_environment():
    feed = ("--symbols", "S:AAPL,S:MSFT", "--rate", "200")
    with Served(*feed, SUBSCRIPTIONS="S:MSFT:quote,S:MSFT:candle") as server:
        async with connect(server.url(8082, "/")) as ws:
            await message(ws)
            for _ in range(20):
                found = await message(ws)
                assert (found.get("quote") or found["bar"])["symbol"] == "S:MSFT"


async def test_connection_events():
    async with system() as running, connect(running.url(8082, "/")) as ws:
        await message(ws)
        running.group.upstream(False)
        running.group.upstream(True)
        events = [(await message(ws))["event"] for _ in range(2)]
        assert events == ["RECONNECTING", "CONNECTED"]
        await running.group.close(5)
        assert (await message(ws))["event"] == "DISCONNECTING"
        await ws.wait_closed()
        assert ws.close_code == 1001


async def test_errors_and_rate_limits():
    async with (
        system(messages_per_minute=10) as running,
        connect(running.url(8082, "/")) as ws,
    ):
        await message(ws)
        await ws.send("rubbish")
        error = await message(ws)
        assert list(error) == ["type", "code", "message", "timestamp"]
        assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
        for _ in range(10):
            await ws.send('{"type": "nothing"}')
        kinds = [kind async for kind in rest(ws)]
        assert "rate_limit" in kinds
        assert ws.close_code == 1008


async def rest(ws: ClientConnection) -> AsyncIterator[str]:
    with suppress(ConnectionClosed):
        async for text in ws:
            yield json.loads(text)["type"]
