"""The documents' clients without a single change, and `fastrouter serve` at the ports they name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from tests import node
from tests.seeds import examples
from tests.seeds.program import CLIENTS, Program, client
from tests.served import SETTINGS, Served

PRELUDE = (CLIENTS.parent / "prelude.js").read_text()
HANDLING = f"function handleMessage(message) {{\n{client('core_handling.js')}}}\n"
HEARTBEAT = client("core_heartbeat.js")
AI = """
async def handle_ai_signal(data):
    print("handled", data["type"])

asyncio.run(connect_ai_websocket())
"""


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    for port in SETTINGS:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            pytest.skip(f"needs port {port}: {error.strerror}")
    made = Served("--symbols", "S:AAPL", "--rate", "50", ports={port: port for port in SETTINGS})
    with made as server:
        yield server


async def test_clients_in_python(server: Served):
    async with (
        Program.python(client("hello.py")) as hello,
        Program.python(client("dgbit_listener.py")) as listener,
        Program.python(client("dgbit_event_client.py")) as event_client,
        Program.python(client("core_ai.py") + AI) as core_ai,
    ):
        await hello.until("Received event: connection")
        await listener.until("Event: connection")
        await event_client.until("Connected")
        await core_ai.until("handled connection")
        await asyncio.to_thread(server.publish, "position", examples.POSITION_OPENED)
        await asyncio.to_thread(server.publish, "signal", examples.SIGNAL)
        assert (await hello.until("Bid:")).startswith(" S:AAPL - Bid: ")
        assert await listener.until("Entered") == " Entered long BTCUSDT"
        assert await event_client.until("Trade entered: ")
        assert await core_ai.until("handled AISignalReceived")


async def test_clients_in_javascript(server: Served):
    node.need("ws", "uuid")
    async with (
        Program.node(client("hello.js")) as hello,
        Program.node(PRELUDE + client("dgbit_browser.js")) as dgbit,
        Program.node(PRELUDE + HEARTBEAT + client("core_engine.js") + HANDLING) as core,
    ):
        await hello.until("Received event: connection")
        await dgbit.until("Event: connection")
        await core.until("Connected to Rust Core")
        await asyncio.to_thread(server.publish, "job", examples.JOB_COMPLETED)
        await asyncio.to_thread(server.publish, "trade", examples.TRADE)
        assert (await hello.until("Bid:")).startswith(" S:AAPL - Bid: ")
        assert await dgbit.until("Win rate") == "Win rate: 60.0%"
        assert await core.until('updateMarketPrice "S:AAPL"')
        assert await core.until("Trade executed: BUY 0.001 BTCUSDT @ 67500")
