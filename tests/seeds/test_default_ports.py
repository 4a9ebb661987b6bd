"""The documents' clients without a single change, at the ports that the documents name."""

from __future__ import annotations

import socket

import pytest

from tests import node
from tests.seeds import examples
from tests.seeds.program import CLIENTS, Program, client
from tests.seeds.system import PORTS, system

PRELUDE = (CLIENTS.parent / "prelude.js").read_text()


@pytest.fixture(autouse=True)
def _free() -> None:
    for port in PORTS:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            pytest.skip(f"needs port {port}: {error.strerror}")


async def test_clients_in_python():
    async with (
        system({port: port for port in PORTS}) as running,
        Program.python(client("hello.py")) as hello,
        Program.python(client("dgbit_listener.py")) as listener,
        Program.python(client("dgbit_event_client.py")) as event_client,
    ):
        await hello.until("Received event: connection")
        await listener.until("Event: connection")
        await event_client.until("Connected")
        running.publish(examples.quote())
        running.publish("position", examples.POSITION_OPENED)
        assert await hello.until("Bid:") == " S:AAPL - Bid: 150.25 Ask: 150.27"
        assert await listener.until("Entered") == " Entered long BTCUSDT"
        assert await event_client.until("Trade entered: ")


async def test_clients_in_javascript():
    node.need("ws", "uuid")
    async with (
        system({port: port for port in PORTS}) as running,
        Program.node(client("hello.js")) as hello,
        Program.node(PRELUDE + client("dgbit_browser.js")) as dgbit,
        Program.node(PRELUDE + client("core_engine.js")) as core,
    ):
        await hello.until("Received event: connection")
        await dgbit.until("Event: connection")
        await core.until("Connected to Rust Core")
        running.publish(examples.quote())
        running.publish("job", examples.JOB_COMPLETED)
        assert await hello.until("Bid:") == " S:AAPL - Bid: 150.25 Ask: 150.27"
        assert await dgbit.until("Win rate") == "Win rate: 60.0%"
