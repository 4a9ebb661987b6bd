"""An event as a line of text."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from fastrouter import dialects
from fastrouter.client.address import number_of
from fastrouter.client.inbox import AnyEvent
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.errors import ConnectionFailed, MessageError

__all__ = ["RAW_KIND", "Raw", "pretty"]

RESET = "\x1b[0m"
DIM = "\x1b[2m"
BOLD = "\x1b[1m"
#: Event kind -> colour; what is not here is yellow.
COLOURS = {"quote": "\x1b[36m", "candle": "\x1b[35m", "error": "\x1b[31m", "connection": "\x1b[34m"}
OTHER = "\x1b[33m"

#: Kinds the client itself must understand, so they are decoded even when raw lines are wanted.
UNDERSTOOD = frozenset(
    {"ping", "subscribed", "unsubscribed", "connection", "error", "rate_limit", "stale", "fresh"}
)

#: Kind of an event that holds a message nobody had to understand: one of the stream.
RAW_KIND = "message"


def pretty(event: AnyEvent, colour: bool) -> str:
    """Time, kind, symbol and what matters of the rest; ``colour`` adds ANSI escapes."""
    kind = event.kind if isinstance(event, Event) else type(event).__name__.lower()
    columns = (_clock(event.time), f"{kind:<10}", f"{event.symbol:<14}", _describe(event))
    if not colour:
        return "  ".join(columns).rstrip()
    styles = (DIM, COLOURS.get(kind, OTHER), BOLD, "")
    return "  ".join(
        f"{style}{text}{RESET}" if style else text
        for style, text in zip(styles, columns, strict=True)
    )


def _clock(ns: int) -> str:
    """The time of day, UTC, in ms."""
    seconds, rest = divmod(ns, 1_000_000_000)
    moment = time.gmtime(seconds)
    return f"{time.strftime('%H:%M:%S', moment)}.{rest // 1_000_000:03d}"


def _describe(event: AnyEvent) -> str:
    if isinstance(event, Event):
        return _describe_event(event)
    text = _MARKET[type(event)](event)
    return f"{text}  (snapshot)" if event.snapshot else text


def _describe_quote(quote: Any) -> str:
    return (
        f"bid {quote.bid:<10.10g} ask {quote.ask:<10.10g} last {quote.last:<10.10g} "
        f"{quote.bid_size:g} x {quote.ask_size:g}"
    )


def _describe_candle(candle: Any) -> str:
    state = "closed" if candle.closed else "forming"
    return (
        f"{candle.timeframe} {state:<7} o {candle.open:.10g} h {candle.high:.10g} "
        f"l {candle.low:.10g} c {candle.close:.10g} v {candle.volume:.10g}"
    )


def _describe_event(event: Event) -> str:
    if not isinstance(event.payload, dict):
        return str(event.payload)
    told = {key: item for key, item in event.payload.items() if key not in ("timestamp", "symbol")}
    return " ".join(f"{key}={item}" for key, item in told.items())


_MARKET: dict[type, Callable[[Any], str]] = {Quote: _describe_quote, Candle: _describe_candle}


class Said(dict[str, Any]):
    """A decoded payload, and the message it came in."""

    raw: bytes = b""


class Raw:
    """Decodes only as far as the client must know; what is left is the message itself."""

    def __init__(self, dialect: str) -> None:
        self._decode = dialects.load(dialect).decode

    def __call__(self, message: bytes) -> AnyEvent:
        """An event with the message in it, and with its id. Raises MessageError."""
        try:
            said = orjson.loads(message)
            understood = said["type"] in UNDERSTOOD
        except (ValueError, TypeError, KeyError) as error:
            raise MessageError(f"no JSON object with a type: {error}") from None
        if understood:
            return self._understand(message)
        return Event(RAW_KIND, message, id=_number(said.get("id")))

    def _understand(self, message: bytes) -> AnyEvent:
        event = self._decode(message)
        if not isinstance(event, Event) or not isinstance(event.payload, dict):
            return event
        payload = Said(event.payload)
        payload.raw = message
        return Event(event.kind, payload, symbol=event.symbol, time=event.time, id=event.id)

    @staticmethod
    def line(event: AnyEvent, colour: bool = False) -> str:
        """The message as it came."""
        assert isinstance(event, Event)
        payload = event.payload
        return (payload.raw if isinstance(payload, Said) else bytes(payload)).decode()


def _number(name: object) -> int:
    """The number of an event's id, 0 for none."""
    if isinstance(name, str):
        with suppress(ConnectionFailed):
            return number_of(name)
    return 0
