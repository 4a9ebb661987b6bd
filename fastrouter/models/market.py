"""Quotes and candles as a publisher writes them in JSON.

Times are of the event: of a candle, when it opened. Numbers are doubles, and may be written as
decimal text.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ValidationError, WithJsonSchema

from fastrouter.core.event import Candle as CoreCandle
from fastrouter.core.event import Quote as CoreQuote
from fastrouter.core.leaves import parse_iso8601
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import EventError
from fastrouter.models.complaint import complaint
from fastrouter.models.fields import Real, Symbol, Time
from fastrouter.models.payload import Payload

__all__ = ["MARKET_MODELS", "Candle", "Quote", "market_event"]


class Quote(Payload):
    """Kind ``quote``. `last` defaults to the mid, `time` to now."""

    symbol: Symbol
    bid: Real
    ask: Real
    last: Real | None = None
    bid_size: Real | None = None
    ask_size: Real | None = None
    time: Time | None = None

    def event(self, time: int) -> CoreQuote:
        """The event; `time` (ns) counts unless the payload has one of its own."""
        fields = self.plain()
        return CoreQuote(fields.pop("symbol"), **fields | {"time": _ns(self.time, time)})


class Candle(Payload):
    """Kind ``candle``. `time` is when it opened; `timeframe` 1s to 1d; `closed`: it is final."""

    symbol: Symbol
    timeframe: Annotated[str, WithJsonSchema({"enum": [*TIMEFRAMES]})] = "1m"
    open: Real
    high: Real
    low: Real
    close: Real
    volume: Real | None = None
    time: Time
    closed: bool = True

    def event(self, time: int) -> CoreCandle:
        """The event."""
        fields = self.plain()
        return CoreCandle(fields.pop("symbol"), **fields | {"time": _ns(self.time, time)})


#: kind -> what its payload may hold
MARKET_MODELS: dict[str, type[Quote] | type[Candle]] = {"quote": Quote, "candle": Candle}


def market_event(kind: str, payload: object, time: int) -> CoreQuote | CoreCandle:
    """The quote or candle of a payload. Raises EventError as `fastrouter.models.validate` does."""
    model = MARKET_MODELS[kind]
    if not isinstance(payload, dict):
        raise EventError(f"{kind}: payload is {type(payload).__name__}; allowed: an object")
    try:
        return model.model_validate(payload).event(time)
    except ValidationError as error:
        raise EventError(f"{kind}: {complaint(model, error)}") from None


def _ns(text: str | None, otherwise: int) -> int:
    return otherwise if text is None else parse_iso8601(text)
