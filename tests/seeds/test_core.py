"""CORE: clients of its two services, each message handled as its page does, heartbeat, tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from fastrouter.session.auth import Verifier
from tests import node
from tests.seeds import examples
from tests.seeds.program import CLIENTS, Program, client
from tests.seeds.system import System, system
from tests.tokens import SECRET, hs256

PRELUDE = (CLIENTS.parent / "prelude.js").read_text()
HEARTBEAT = client("core_heartbeat.js")
HANDLING = f"function handleMessage(message) {{\n{client('core_handling.js')}}}\n"
#: intervals are short, and come once: a second Ping within 30 s is one too many
HURRY = "globalThis.setInterval = (call, ms) => setTimeout(call, ms / 300);\n"

AI = """
async def handle_ai_signal(data):
    print("handled", data["type"])

asyncio.run(connect_ai_websocket())
"""

#: what a page has of React, for one rendering of one component
REACT = """
let unmount;
const useRef = (current) => ({ current });
const useState = (value) => [value, (next) => console.log('state', JSON.stringify(next))];
const useEffect = (effect) => { unmount = effect(); };
"""
RENDER = """
const { send } = useWebSocket('ws://localhost:8080/ws');
setTimeout(() => send({ type: 'Ping', timestamp: Date.now() }), 100);
"""

LATEST = 1697234567000


@pytest.fixture
def _node() -> None:
    node.need("ws")


async def message(ws: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await ws.recv())
    return found


def engine(running: System) -> Program:
    """The page's client of the core engine, with what the page does about each message."""
    return Program.node(PRELUDE + HEARTBEAT + client("core_engine.js", running.ports) + HANDLING)


#: what is published -> what the page's handling calls, first the one that tells most
HANDLED = [
    (("signal", examples.SIGNAL), 'showNotification "AI Signal: LONG BTCUSDT (82%)"'),
    (
        ("trade", examples.TRADE),
        'showNotification "Trade executed: BUY 0.001 BTCUSDT @ 67500"',
    ),
    (("position", examples.POSITION_OPENED), 'showNotification "Position opened: BTCUSDT"'),
    (("position", examples.POSITION_UPDATED), 'updatePositionInList {"id":"pos_123456"'),
    (("position", examples.POSITION_CLOSED), 'removePositionFromList "pos_1"'),
    (("account", examples.ACCOUNT), 'updateBotStatusIndicator "RUNNING"'),
    (("strategy", examples.STRATEGY_STOPPED), 'showNotification "Bot has been stopped"'),
    (("risk", examples.RISK), 'showWarningToast "position value above its limit"'),
    (("risk", {**examples.RISK, "severity": "CRITICAL"}), 'showCriticalErrorModal {"code":'),
]


@pytest.mark.usefixtures("_node")
async def test_every_message_is_handled_as_the_page_does():
    async with system() as running, engine(running) as program:
        assert "Connected to Rust Core WebSocket" in await program.line()
        assert await program.until('setConnectionStatus "connected"')
        running.publish(examples.quote("BTCUSDT"))
        assert await program.until("updateMarketPrice") == 'updateMarketPrice "BTCUSDT" 150.26'
        assert '"bid":150.25,"ask":150.27' in await program.until("updatePriceChart")
        running.publish(examples.candle("BTCUSDT", timeframe="1h", time=LATEST * 10**6))
        shown = await program.until("appendCandleToChart")
        assert shown.startswith('appendCandleToChart "BTCUSDT" "1h" {"timestamp":1697234567000,')
        assert '"close":46319.5' in shown
        assert await program.until("updateIndicators")
        for event, called in HANDLED:
            running.publish(*event)
            assert await program.until(called)


async def test_messages_have_the_pages_form():
    async with system() as running, connect(running.url(8080)) as ws:
        connected = await message(ws)
        assert list(connected) == ["type", "data", "timestamp"]
        assert list(connected["data"])[:3] == ["client_id", "server_time", "version"]
        assert isinstance(connected["timestamp"], int)
        running.publish("position", examples.POSITION_UPDATED)
        update = await message(ws)
        assert (update["type"], update["data"]["action"]) == ("PositionUpdate", "UPDATED")
        assert update["data"]["position"] == {
            name: value for name, value in examples.POSITION_UPDATED.items() if name != "action"
        }
        running.publish("trade", examples.TRADE)
        trade = await message(ws)
        assert trade["data"] == {
            "trade_id": "trade_123456",
            "order_id": "order-123",
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": 0.001,
            "price": 67500,
            "executed_quantity": 0.001,
            "executed_price": 67500,
            "commission": 0.0675,
            "commission_asset": "USDT",
            "status": "FILLED",
            "timestamp": 1697234567000,
            "strategy": "RSI Strategy",
            "ai_signal_id": "signal_123",
        }


async def test_the_ai_service():
    async with system() as running:
        code = client("core_ai.py", running.ports) + AI
        async with Program.python(code) as program:
            assert "Connected to AI WebSocket" in await program.line()
            welcome = await program.line()
            assert "{'type': 'connection', 'message': 'Connected to AI Trading Service'" in welcome
            assert "+00:00'}" in welcome
            assert await program.line() == "handled connection"
            running.publish(examples.quote())  # not for this service
            running.publish("signal", examples.SIGNAL)
            assert "'signal': 'long', 'confidence': 0.82" in await program.line()
            assert await program.line() == "handled AISignalReceived"


@pytest.mark.usefixtures("_node")
async def test_the_manager_beats_and_comes_back():
    async with system() as running:
        code = HURRY + PRELUDE + HEARTBEAT + client("core_manager.js", running.ports)
        code += HANDLING + "wsManager.handleMessage = handleMessage;\n"
        async with Program.node(code) as program:
            assert "WebSocket connected" in await program.line()
            assert await program.until("updateLastHeartbeat")  # the Pong
            await running.group.close(5)
            assert "WebSocket closed: 1001 draining; retry" in await program.until("closed")
            assert await program.line() == "Reconnecting... Attempt 1/10"
            async with system(running.ports):
                assert "WebSocket connected" in await program.until("connected")
                await program.until('setConnectionStatus "connected"')


@pytest.mark.usefixtures("_node")
async def test_the_react_hook():
    async with system() as running:
        code = REACT + client("core_hook.js").removeprefix("export ") + RENDER
        for theirs, ours in running.ports.items():
            code = code.replace(f"localhost:{theirs}", f"127.0.0.1:{ours}")
        async with Program.node(PRELUDE + code) as program:
            assert await program.lines(2) == ["WebSocket connected", "state true"]
            assert (await program.line()).startswith('state {"type":"Connected","data":{')
            assert (await program.line()).startswith('state {"type":"Pong","data":{"timestamp":')
            await running.group.close(0)
            await program.until("WebSocket disconnected")
            assert await program.line() == "state false"


async def test_pong_answers_ping_on_both_services():
    async with system() as running:
        for port in (8080, 8000):
            async with connect(running.url(port)) as ws:
                await message(ws)
                await ws.send(json.dumps({"type": "Ping", "timestamp": LATEST}))
                pong = await message(ws)
                assert list(pong) == ["type", "data", "timestamp"]
                assert pong["type"] == "Pong"
                assert pong["data"] == {"timestamp": pong["timestamp"]}


# ---- who may come in

TOKENS = {
    "in the URL": client("core_token_in_url.js"),
    "in the first message": client("core_engine.js").splitlines()[0]
    + "\n"
    + client("core_token_first.js"),
}
AFTER = """
ws.onmessage = (event) => console.log('got', event.data);
ws.onclose = (event) => console.log('closed', event.code);
ws.onerror = (error) => console.log('failed', error.message);
"""
SHOWN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..."


def knocking(way: str, running: System, token: str) -> Program:
    code = TOKENS[way].replace(SHOWN, token)
    code = code.replace("localhost:8080", f"127.0.0.1:{running.ports[8080]}")
    return Program.node(PRELUDE + code + AFTER)


@pytest.fixture
def guarded() -> dict[str, Any]:
    return {"admission": {"verifier": Verifier(secret=SECRET)}}


@pytest.mark.usefixtures("_node")
@pytest.mark.parametrize("way", TOKENS)
async def test_a_token_lets_in(way: str, guarded: dict[str, Any]):
    async with (
        system(**guarded) as running,
        knocking(way, running, hs256(accounts=["paper"])) as program,
    ):
        assert '"type":"Connected"' in await program.until("got")
        while not running.group.sessions:
            await program.line()
        await program.until("uthenticated") if way == "in the first message" else None
        running.publish(examples.quote())
        await program.until('"type":"MarketData"')


@pytest.mark.usefixtures("_node")
async def test_the_pages_own_token_is_none(guarded: dict[str, Any]):
    async with system(**guarded) as running:
        async with knocking("in the URL", running, SHOWN) as program:
            assert "401" in await program.until("failed")
        async with knocking("in the first message", running, SHOWN) as program:
            assert '"code":"NOT_AUTHENTICATED"' in await program.until('"type":"Error"')
            assert await program.until("closed") == "closed 4401"


async def test_a_token_in_a_header(guarded: dict[str, Any]):
    async with system(**guarded) as running:
        headers = {"Authorization": f"Bearer {hs256()}"}
        async with connect(running.url(8080), additional_headers=headers) as ws:
            assert (await message(ws))["type"] == "Connected"
