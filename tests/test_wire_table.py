"""The table "which event appears as what" of the wire contract, cell by cell.

Each event is published once and read on every endpoint; where a dialect does
not send it, nothing may come. Once through a router in this process, once
through `fastrouter serve`, published from outside.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from fastrouter import Candle, Quote
from tests.seeds import examples
from tests.seeds.system import system
from tests.served import Served

DIALECTS = ("trading-api", "orchestrator", "dgbit", "botcore", "botcore-ai")

#: keys of a message, in order; of trading-api see `envelope`
ENVELOPES = {
    "orchestrator": ["type", "timestamp", "data"],
    "dgbit": ["type", "timestamp", "payload"],
    "botcore": ["type", "data", "timestamp"],
    "botcore-ai": ["type", "data", "timestamp"],
}


ORDERS = [
    "ORDER_ACCEPTED",
    "ORDER_FILLED",
    "ORDER_PARTIALLY_FILLED",
    "ORDER_CANCELED",
    "ORDER_REJECTED",
]

#: what is published: kind and payload
EVENTS: dict[str, tuple[str, Any]] = {
    "quote": ("quote", examples.quote("S:QUOTED")),
    "candle": ("candle", examples.candle()),
    **{event: ("order", {**examples.ORDER, "event": event}) for event in ORDERS},
    "execution": ("trade", examples.TRADE),
    "position opened": ("position", examples.POSITION_OPENED),
    "position updated": ("position", examples.POSITION_UPDATED),
    "position closed": ("position", examples.POSITION_CLOSED),
    "account": ("account", examples.ACCOUNT),
    "signal": ("signal", examples.SIGNAL),
    "strategy started": ("strategy", examples.STRATEGY_STARTED),
    "strategy stopped": ("strategy", examples.STRATEGY_STOPPED),
    "strategy paused": ("strategy", examples.STRATEGY_PAUSED),
    "strategy list": ("strategy", examples.STATUS_LIST),
    "service status": ("strategy", examples.SERVICE_STATUS),
    "job created": ("job", examples.JOB_CREATED),
    "job started": ("job", examples.JOB_STARTED),
    "job completed": ("job", examples.JOB_COMPLETED),
    "job failed": ("job", examples.JOB_FAILED),
    "limit breached": ("risk", examples.RISK),
    "risk status": ("risk", {**examples.RISK, "event": "status"}),
}

BOT = "BotStatusUpdate"
AI = "AISignalReceived"

#: the type of its message in each of DIALECTS; None: it is not sent
TABLE: dict[str, tuple[str | None, ...]] = {
    "quote": ("quote", "quote", "quote", "MarketData", None),
    "candle": ("candle", "candle", "candle", "ChartUpdate", None),
    **{event: ("order", "order", "order", None, None) for event in ORDERS},
    "execution": ("trade", "strategy_trade", "trade.executed", "TradeExecuted", None),
    "position opened": ("position", "position", "trade.entered", "PositionUpdate", None),
    "position updated": ("position", "position", None, "PositionUpdate", None),
    "position closed": ("position", "position", "trade.exited", "PositionUpdate", None),
    "account": ("account", "account", None, BOT, None),
    "signal": ("signal", "strategy_signal", "signal.generated", AI, AI),
    "strategy started": (None, "strategy_started", None, BOT, None),
    "strategy stopped": (None, "strategy_stopped", None, BOT, None),
    "strategy paused": (None, "strategy_paused", None, BOT, None),
    "strategy list": (None, "strategy_status_list", None, BOT, None),
    "service status": (None, "execution_service_status", None, BOT, None),
    "job created": (None, None, "job.created", None, None),
    "job started": (None, None, "job.started", None, None),
    "job completed": (None, None, "job.completed", None, None),
    "job failed": (None, None, "job.failed", None, None),
    "limit breached": (None, "risk_limit_breached", None, "Error", "Error"),
    "risk status": (None, "risk_status", None, "Error", "Error"),
}


def cell(event: str, dialect: str) -> str | None:
    return TABLE[event][DIALECTS.index(dialect)]


def envelope(kind: str, dialect: str) -> list[str]:
    """The keys of an event's message, in order."""
    if dialect in ENVELOPES:
        return ENVELOPES[dialect]
    happened = ["event"] if kind == "order" else []
    return ["type", *happened, "id", "bar" if kind == "candle" else kind, "timestamp"]


class Endpoint(NamedTuple):
    """`port` is the documents'; `kinds` are those it has to begin with, None is all."""

    port: int
    path: str
    dialect: str
    kinds: tuple[str, ...] | None = None

    def expects(self, event: str) -> list[tuple[str, list[str]]]:
        """The type and keys of what comes, nothing or one."""
        kind, _ = EVENTS[event]
        found = cell(event, self.dialect)
        if found is None or (self.kinds is not None and kind not in self.kinds):
            return []
        return [(found, envelope(kind, self.dialect))]


ENDPOINTS = [
    Endpoint(8082, "/", "trading-api"),
    Endpoint(8082, "/ws", "trading-api"),
    Endpoint(8082, "/ws?dialect=orchestrator", "orchestrator"),
    Endpoint(3001, "/ws", "orchestrator", ("quote", "candle")),
    Endpoint(3002, "/ws", "orchestrator", ("risk", "order", "trade", "position", "account")),
    Endpoint(8000, "/api/ws/events", "dgbit"),
    Endpoint(8000, f"/api/ws/jobs/{examples.JOB}", "dgbit", ("job",)),
    Endpoint(8080, "/ws", "botcore"),
    Endpoint(8000, "/ws", "botcore-ai"),
    *(Endpoint(8082, f"/?dialect={name}", name) for name in DIALECTS),
]

Publish = Callable[[str, Any], Awaitable[None]]

QUOTED = "S:QUOTED"  # the symbol of the quote
CANDLES = ("candle", "ChartUpdate")
OTHER = "S:OTHER"  # the symbol of the feed

#: a client message that changes nothing; its answer comes after what was published before
QUESTION = '{"type": "unsubscribe", "subscriptions": ["S:NOBODY:quote"]}'

ANSWERS = ("unsubscribed", "Unsubscribed")


async def until_answered(ws: ClientConnection) -> AsyncIterator[dict[str, Any]]:
    """What has come; not the feed's own, nor candles that the router builds of the quote."""
    await ws.send(QUESTION)
    while (message := json.loads(text := await ws.recv()))["type"] not in ANSWERS:
        built = QUOTED in text and message["type"] in CANDLES
        if OTHER not in text and not built:
            yield message


async def wrong_cells(url: Callable[[int, str], str], publish: Publish) -> dict[str, Any]:
    """What differs from the table, by event and endpoint."""
    wrong = {}
    async with AsyncExitStack() as stack:
        sessions = [
            (one, await stack.enter_async_context(connect(url(one.port, one.path))))
            for one in ENDPOINTS
        ]
        for _, ws in sessions:
            [_ async for _ in until_answered(ws)]
        for event in TABLE:
            await publish(*EVENTS[event])
            for endpoint, ws in sessions:
                expected = endpoint.expects(event)
                found = [(message["type"], list(message)) async for message in until_answered(ws)]
                if found != expected:
                    wrong[f"{event} at {endpoint.port}{endpoint.path}"] = (found, expected)
    return wrong


async def test_in_this_process():
    async with system(messages_per_minute=1000) as running:

        async def publish(kind: str, payload: Any) -> None:
            if isinstance(payload, (Quote, Candle)):
                running.publish(payload)
            else:
                running.publish(kind, payload)

        assert await wrong_cells(running.url, publish) == {}


MARKET = {
    Quote: ("symbol", "bid", "ask", "last", "bid_size", "ask_size"),
    Candle: ("symbol", "timeframe", "open", "high", "low", "close", "volume", "closed"),
}


def outside(payload: Any) -> dict[str, Any]:
    """A payload as it is written in JSON."""
    if isinstance(payload, dict):
        return payload
    fields = {name: getattr(payload, name) for name in MARKET[type(payload)]}
    if isinstance(payload, Candle):
        fields["time"] = payload.time // 1_000_000
    return fields


async def test_published_from_outside(tmp_path: Path):
    (tick := tmp_path / "tick.csv").write_text("time,bid,ask\n2025-01-01T00:00:00Z,1,2\n")
    feed = ("--feed", f"replay:{tick}", "--symbol", OTHER)
    with Served(*feed, FASTROUTER_LIMITS__MESSAGES_PER_MINUTE="1000") as server:
        async with httpx.AsyncClient() as client:

            async def publish(kind: str, payload: Any) -> None:
                event = {"kind": kind, "payload": outside(payload)}
                answer = await client.post(server.url(8080, "/v1/events", "http"), json=event)
                assert answer.is_success, answer.text

            assert await wrong_cells(server.url, publish) == {}


# ---- what is no event: connection, error, rate limit


async def said(ws: ClientConnection, dialect: str) -> tuple[str, dict[str, Any]]:
    """The next message's type and body; the envelope is checked."""
    message = json.loads(await ws.recv())
    if dialect == "trading-api":
        return message["type"], message
    if dialect == "botcore-ai" and "data" not in message:
        assert list(message) == ["type", "message", "timestamp"]
        return message["type"], message
    assert list(message) == ENVELOPES[dialect]
    return message["type"], message[ENVELOPES[dialect][2 if "core" not in dialect else 1]]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_connections_events(dialect: str):
    async with (
        system() as running,
        connect(running.url(8082, f"/?dialect={dialect}&subscriptions=S:A:quote")) as ws,
    ):
        kind, body = await said(ws, dialect)
        if dialect == "botcore":
            assert kind == "Connected"
            assert list(body)[:3] == ["client_id", "server_time", "version"]
        elif dialect == "botcore-ai":
            assert (kind, body["message"]) == ("connection", "Connected to AI Trading Service")
        else:
            assert (kind, body["event"]) == ("connection", "CONNECTED")
        running.group.upstream(False)
        running.group.upstream(True)
        await running.group.close(5)
        rest = [json.loads(text) async for text in ws]
        assert ws.close_code == 1001
        told = ("RECONNECTING", "CONNECTED", "DISCONNECTING")
        for one, event in zip(rest, told, strict=True):
            if dialect == "botcore-ai":
                assert (one["type"], list(one)) == ("connection", ["type", "message", "timestamp"])
            elif event == "CONNECTED" and dialect == "botcore":
                assert one["type"] == "Connected"
            else:
                body = one.get("data") or one.get("payload") or one
                assert (one["type"].lower(), body["event"]) == ("connection", event)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_errors_and_rate_limits(dialect: str):
    async with (
        system(messages_per_minute=10) as running,
        connect(running.url(8082, f"/?dialect={dialect}&subscriptions=S:A:quote")) as ws,
    ):
        await ws.recv()
        await ws.send('{"type": "subscribe", "subscriptions": ["nonsense"]}')
        kind, body = await said(ws, dialect)
        botcore = dialect.startswith("botcore")
        assert kind == ("Error" if botcore else "error")
        assert body["code"] == "INVALID_SUBSCRIPTION"
        if botcore:
            keys = ["code", "message", "severity", "details", "timestamp", "recoverable"]
            assert list(body) == keys
        for _ in range(7):
            await ws.send(QUESTION)
        while (found := await said(ws, dialect))[0] in ANSWERS:
            pass
        kind, body = found
        if botcore:
            assert kind == "Error"
            assert (body["code"], body["severity"]) == ("WEBSOCKET_ERROR", "WARNING")
        else:
            assert kind == "rate_limit"
