"""DGBIT: its clients print what they should for every example of its page, and jobs stream."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect

from tests import node
from tests.seeds import examples
from tests.seeds.program import CLIENTS, Program, client
from tests.seeds.system import System, system

PRELUDE = (CLIENTS.parent / "prelude.js").read_text()

#: what is published -> the type, and the payload as DGBIT shows it
EVENTS = [
    (
        ("job", examples.JOB_CREATED),
        "job.created",
        {"job_id": examples.JOB, "job_type": "backtest", "status": "pending"},
    ),
    (
        ("job", examples.JOB_STARTED),
        "job.started",
        {"job_id": examples.JOB, "job_type": "backtest", "status": "running"},
    ),
    (
        ("job", examples.JOB_COMPLETED),
        "job.completed",
        {
            "job_id": examples.JOB,
            "job_type": "backtest",
            "status": "completed",
            "result": {"total_trades": 15, "win_rate": 0.60, "total_return": 0.12},
        },
    ),
    (
        ("job", examples.JOB_FAILED),
        "job.failed",
        {
            "job_id": examples.JOB,
            "job_type": "backtest",
            "status": "failed",
            "error": "Insufficient data for backtest",
        },
    ),
    (
        ("position", examples.POSITION_OPENED),
        "trade.entered",
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "quantity": 0.001,
            "entry_price": 42150.00,
            "take_profit": 42993.00,
            "stop_loss": 41728.50,
            "strategy": "wavelet_reversal",
        },
    ),
    (
        ("position", examples.POSITION_CLOSED),
        "trade.exited",
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "quantity": 0.001,
            "entry_price": 42150.00,
            "exit_price": 42993.00,
            "exit_type": "take_profit",
            "pnl": 0.843,
            "pnl_pct": 2.0,
            "duration_minutes": 45,
        },
    ),
    (
        ("signal", examples.SIGNAL),
        "signal.generated",
        {
            "strategy": "wavelet_reversal",
            "symbol": "BTCUSDT",
            "signal_value": 0.82,
            "direction": "long",
            "confidence": "high",
        },
    ),
]


def publish_all(running: System) -> None:
    for event, _, _ in EVENTS:
        running.publish(*event)


async def test_every_example_as_the_page_shows_it():
    async with system() as running, connect(running.url(8000, "/api/ws/events")) as ws:
        welcome = json.loads(await ws.recv())
        assert (welcome["type"], welcome["payload"]["event"]) == ("connection", "CONNECTED")
        for event, kind, payload in EVENTS:
            running.publish(*event)
            message = json.loads(await ws.recv())
            assert list(message) == ["type", "timestamp", "payload"]
            assert message["type"] == kind
            shown = {name: message["payload"].get(name) for name in payload}
            assert shown == payload
            assert list(message["payload"])[: len(payload)] == list(payload), "the page's order"


async def test_the_python_listener():
    async with (
        system() as running,
        Program.python(client("dgbit_listener.py", running.ports)) as program,
    ):
        assert await program.lines(2) == ["Connected to event stream", "Event: connection"]
        publish_all(running)
        running.publish("trade", examples.TRADE)
        assert await program.lines(14) == [
            "Event: job.created",
            "Event: job.started",
            "Event: job.completed",
            f" Job {examples.JOB} completed",
            " Win rate: 60.0%",
            "Event: job.failed",
            "Event: trade.entered",
            " Entered long BTCUSDT",
            " Entry: 42150",
            "Event: trade.exited",
            " Exited BTCUSDT",
            " PnL: 200.00%",
            "Event: signal.generated",
            "Event: trade.executed",
        ]


async def test_the_python_client_that_reconnects():
    async with system() as running:
        ports = running.ports
        async with Program.python(client("dgbit_event_client.py", ports)) as program:
            assert await program.line() == "Connected"
            publish_all(running)
            assert "Trade entered: {'symbol': 'BTCUSDT', 'side': 'long'" in await program.line()
            await running.group.close(0)
            async with system(ports) as again:
                await program.until("Connected")
                again.publish("position", examples.POSITION_OPENED)
                assert (await program.line()).startswith("Trade entered: ")


async def test_the_javascript_in_node():
    node.need("ws")
    async with system() as running:
        code = PRELUDE + client("dgbit_browser.js", running.ports)
        async with Program.node(code) as program:
            assert await program.line() == "Connected to event stream"
            await program.until("Event: connection")
            publish_all(running)
            await program.until("Event: job.completed")
            assert await program.until("Job ") == f"Job {examples.JOB} completed"
            assert await program.line() == "Win rate: 60.0%"
            assert '"entry_price":42150' in await program.until("handleTradeEnter")
            assert '"pnl_pct":2' in await program.until("handleTradeExit")
            await running.group.close(0)
            await program.until("Disconnected from event stream")


async def test_a_jobs_own_stream():
    async with (
        system() as running,
        connect(running.url(8000, f"/api/ws/jobs/{examples.JOB}")) as ws,
    ):
        welcome = json.loads(await ws.recv())
        assert list(welcome) == ["type", "job_uuid", "message"]
        assert (welcome["type"], welcome["job_uuid"]) == ("subscribed", examples.JOB)
        running.publish("job", {**examples.JOB_CREATED, "id": "another"})
        publish_all(running)
        kinds = [json.loads(await ws.recv())["type"] for _ in range(4)]
        assert kinds == ["job.created", "job.started", "job.completed", "job.failed"]
        await ws.send(json.dumps({"hello": 1}))
        assert json.loads(await ws.recv()) == {"type": "ack", "job_uuid": examples.JOB}


async def test_messages_are_echoed():
    async with system() as running, connect(running.url(8000, "/api/ws/events")) as ws:
        await ws.recv()
        for message in ({"type": "hello", "n": [1, None]}, {"no": "type"}, [1, 2], "text"):
            await ws.send(json.dumps(message))
            assert json.loads(await ws.recv()) == {"type": "ping", "received": message}


@pytest.mark.parametrize("rubbish", ["{", "", "not json"])
async def test_what_is_no_json_is_not_answered(rubbish: str):
    async with system() as running, connect(running.url(8000, "/api/ws/events")) as ws:
        await ws.recv()
        await ws.send(rubbish)
        await ws.send('{"type":"x"}')
        assert json.loads(await ws.recv())["received"] == {"type": "x"}
