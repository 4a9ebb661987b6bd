"""What a message of the bus says, as an event that can be routed.

The dialect reads DGBIT's events. They name less than the same event has elsewhere, so what every
position, signal and trade must have is made of what they do say:

========== ====================================================================================
event      what is added
========== ====================================================================================
position   `id`: its symbol and side, since what exits names no more; `entry_time` or `exit_time`
signal     `id`: its strategy, symbol and time
trade      `id` likewise; `executed_quantity`, `executed_price` of `quantity`, `price`;
           a `side` of LONG is BUY, of SHORT is SELL
========== ====================================================================================

A quote or candle needs no more than a publisher of one has: see `fastrouter.models.market`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from fastrouter.bus.message import payload_of
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.leaves import iso8601, parse_iso8601
from fastrouter.dialects import load
from fastrouter.errors import MessageError
from fastrouter.models.market import MARKET_MODELS, market_event

__all__ = ["Reader"]

DIALECT = "dgbit"

BARE = b"{"  # a message without a topic in front, of which NNG compared nothing

MOST = 128  # bytes of an id

#: what a router's own quotes and candles have on the bus, and is not the publisher's to say
OURS = ("seq", "event_id", "snapshot")

SIDES = {"LONG": "BUY", "SHORT": "SELL"}

#: action -> when that was
MOMENTS = {"OPENED": "entry_time", "CLOSED": "exit_time"}

Body = dict[str, Any]


class Reader:
    """Reads messages of the bus; `topics` are prefixes of the types to take, none: all."""

    def __init__(self, topics: tuple[str, ...] = ()) -> None:
        self._topics = topics
        self._decode: Callable[[bytes], Quote | Candle | Event] = load(DIALECT).decode

    def read(self, message: bytes) -> Quote | Candle | Event | None:
        """The event; None for one of another topic.

        Raises MessageError for what is none, EventError for a quote or candle that cannot be.
        """
        payload = payload_of(message)
        said = _envelope(payload)
        kind = said["type"]
        if self._topics and message.startswith(BARE) and not kind.startswith(self._topics):
            return None
        if kind in MARKET_MODELS:
            return _market(kind, said)
        event = self._decode(payload)
        if not isinstance(event, Event) or not isinstance(event.payload, dict):
            return event
        filler = FILLERS.get(event.kind)
        if filler is None:
            return event
        body = {**event.payload, **filler(event.payload, event.time)}
        return Event(event.kind, body, symbol=event.symbol, time=event.time)


def _envelope(payload: bytes) -> Body:
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise MessageError(f"not JSON: {error}") from None
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise MessageError("an envelope without a type")
    return said


def _market(kind: str, said: Body) -> Quote | Candle:
    body = said.get("payload")
    if isinstance(body, dict):
        body = {name: item for name, item in body.items() if name not in OURS}
        if kind == "candle" and "timestamp" in body:
            body["time"] = body.pop("timestamp")
    return market_event(kind, body, _time(said.get("timestamp")))


def _time(stamp: object) -> int:
    if stamp is None:
        return 0
    try:
        return parse_iso8601(stamp)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError) as error:
        raise MessageError(f"timestamp: {error}") from None


# ---- what DGBIT leaves out


def _position(body: Body, time: int) -> Body:
    added = {"id": _joined(body.get("symbol"), body.get("side"))}
    moment = MOMENTS.get(str(body.get("action")))
    if moment is not None and time:
        added[moment] = iso8601(time)
    return {name: item for name, item in added.items() if name not in body}


def _signal(body: Body, time: int) -> Body:
    return {} if "id" in body else {"id": _id(body, time)}


def _trade(body: Body, time: int) -> Body:
    added: Body = {} if "id" in body else {"id": _id(body, time)}
    for name, other in (("executed_quantity", "quantity"), ("executed_price", "price")):
        if name not in body and other in body:
            added[name] = body[other]
    side = body.get("side")
    if isinstance(side, str) and side in SIDES:
        added["side"] = SIDES[side]
    return added


def _id(body: Body, time: int) -> str:
    return _joined(body.get("strategy"), body.get("symbol"), time // 1_000_000 or None)


def _joined(*parts: object) -> str:
    """The parts that are there, as one word that is no longer than an id may be."""
    text = "-".join(str(part) for part in parts if part is not None)
    return text.encode()[:MOST].decode(errors="ignore")


FILLERS: dict[str, Callable[[Body, int], Body]] = {
    "position": _position,
    "signal": _signal,
    "trade": _trade,
}
