"""The AI service's envelope (CORE): Bot Core's, but for the welcome, and only what it tells.

That is signals, errors (risk among them) and ``Pong``. What it says of the connection is
flat: ``{"type":"connection","message","timestamp"}``, the time as ISO-8601 with ``+00:00``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from fastrouter.core.event import Event
from fastrouter.core.leaves import iso8601, parse_iso8601
from fastrouter.dialects.botcore import Botcore
from fastrouter.dialects.core_messages import MAKERS
from fastrouter.dialects.payload import given

if TYPE_CHECKING:
    from fastrouter.core.event import Candle, Quote

__all__ = ["BotcoreAi"]

#: event -> what the message says
MESSAGES = {
    "CONNECTED": "Connected to AI Trading Service",
    "DISCONNECTING": "Disconnecting from AI Trading Service",
    "RECONNECTING": "Reconnecting to the feed",
}
#: kinds of events it has a message for
SENT = ("signal", "risk")

EVENTS = {message: event for event, message in MESSAGES.items()}


class BotcoreAi(Botcore):
    """Dialect ``botcore-ai``; decimals are numbers whatever `decimals` says."""

    def __init__(self, decimals: str = "number") -> None:
        super().__init__(decimals, "botcore-ai", {kind: MAKERS[kind] for kind in SENT})

    def topic_text(self, symbol: str, timeframe: str) -> bytes:
        """Nothing: market data is not sent."""
        return b""

    def control(self, kind: str, fields: dict[str, Any], time: int) -> bytes:
        if kind not in ("welcome", "connection"):
            return super().control(kind, fields, time)
        event = fields.get("event", "CONNECTED")
        message = MESSAGES.get(event, event)
        stamp = iso8601(time).replace("Z", "+00:00")
        return orjson.dumps({"type": "connection", "message": message, "timestamp": stamp})

    def read(self, kind: str, message: dict[str, Any]) -> Quote | Candle | Event:
        if kind != "connection":
            return super().read(kind, message)
        said = message["message"]
        payload = given(event=EVENTS.get(said), message=said)
        return Event("connection", payload, time=parse_iso8601(message["timestamp"]))
