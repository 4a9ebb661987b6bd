"""What a job is asked to do."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from fastrouter.broker.commission import RATES, Commission
from fastrouter.broker.money import LIMIT
from fastrouter.core.kinds import KINDS
from fastrouter.core.leaves import parse_iso8601, symbol_valid
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import ConfigError
from fastrouter.models.fields import (
    Free,
    Name,
    Number,
    above_zero_schema,
    shown,
    symbol_schema,
    time_text,
)
from fastrouter.models.payload import Payload

__all__ = ["BacktestRequest"]

MOST_SYMBOLS = 1000
LONGEST_SYMBOL = 32  # bytes; what a row of a data set holds
MOST_CONFIG = 1 << 16  # bytes; it goes through the environment, as `subscriptions` does


def _symbol(text: str) -> str:
    if not symbol_valid(text) or len(text.encode()) > LONGEST_SYMBOL:
        raise ValueError(f"{shown(text)} is no symbol; allowed: 1 to {LONGEST_SYMBOL} bytes")
    return text


def _above_zero(text: str) -> str:
    if not 0 < Decimal(text) < LIMIT:
        raise ValueError(f"{text}; allowed: above 0, below 10^12")
    return text


def _instant(value: object) -> str:
    """As `start` and `end` of a backtest's URL: no zone is UTC, a date is its midnight."""
    text = value if isinstance(value, str) else ""
    try:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError
        if text.removeprefix("-").isdecimal() and len(text) > len("YYYYMMDD"):
            return time_text(int(text))
        try:
            return time_text(value)
        except ValueError:
            found = datetime.fromisoformat(text)
            return time_text(found if found.tzinfo else found.replace(tzinfo=UTC))
    except ValueError:
        raise ValueError(
            f"{shown(value)}; allowed: ISO-8601 as 2025-01-31 or 2025-01-31T09:30:00Z, or Unix ms"
        ) from None


_INSTANT = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "integer"},
    ]
}
Instant = Annotated[str, PlainValidator(_instant), WithJsonSchema(_INSTANT)]


Cash = Annotated[Number, AfterValidator(_above_zero), above_zero_schema(12, 30, 1e-45)]
RATE = {
    "anyOf": [
        {"const": 0},
        {"type": "number", "minimum": 1e-45, "exclusiveMaximum": 10**6},
        {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,30})?$"},
    ]
}
Commissions = Annotated[
    dict[str, Number],
    WithJsonSchema(
        {
            "type": "object",
            "properties": dict.fromkeys(RATES, RATE),
            "additionalProperties": False,
        }
    ),
]
EVENT_TYPE = f"({'|'.join(kind for kind in KINDS)}|candle@({'|'.join(TIMEFRAMES)}))"
ITEM = rf"[^\s,\x00-\x1f\x7f]{{1,128}}:{EVENT_TYPE}"
#: what `Offer.check` says of them, about
SUBSCRIPTIONS: dict[str, Any] = {"pattern": f"^{ITEM}(,{ITEM})*$"}
Symbol = Annotated[str, AfterValidator(_symbol), symbol_schema(LONGEST_SYMBOL)]


class BacktestRequest(Payload):
    """Run a strategy of the registry against a data set, and report how it did."""

    job_type: Literal["backtest"]
    strategy: Name = Field(description="the name of a configured strategy", examples=["crossover"])
    dataset: Name = Field(description="see GET /v1/datasets", examples=["synthetic"])
    start: Instant | None = Field(default=None, description="from here on; without a zone UTC")
    end: Instant | None = Field(default=None, description="before here")
    symbols: Annotated[
        list[Symbol] | None,
        Field(min_length=1, max_length=MOST_SYMBOLS),
    ] = Field(default=None, description="these alone")
    subscriptions: str | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_CONFIG,
        json_schema_extra=SUBSCRIPTIONS,
        description="SYMBOL:EVENT_TYPE items, comma separated; default: the strategy's",
    )
    window: int | None = Field(
        default=None, ge=1, le=1 << 20, description="how many batches may be unacknowledged"
    )
    cash: Cash | None = Field(default=None, description="what the account begins with")
    commission: Commissions | None = Field(
        default=None, description=f"rates of {', '.join(RATES)}", examples=[{"percent": "0.1"}]
    )
    shorting: bool | None = Field(default=None, description="may more be sold than is held?")
    config: Annotated[Free, WithJsonSchema({"type": "object"})] | None = Field(
        default=None, description="for the strategy"
    )

    @model_validator(mode="after")
    def _start_is_before_end(self) -> Self:
        start, end = (parse_iso8601(one) if one else None for one in (self.start, self.end))
        if start is not None and end is not None and start >= end:
            raise ValueError("start is not before end")
        return self

    @field_validator("commission")
    @classmethod
    def _commission_can_be(cls, rates: dict[str, str] | None) -> dict[str, str] | None:
        try:
            Commission(rates or {})
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return rates

    @model_validator(mode="after")
    def _config_is_small(self) -> Self:
        size = len(orjson.dumps(self.config))
        if size > MOST_CONFIG:
            raise ValueError(f"config of {size} bytes; allowed: {MOST_CONFIG}")
        return self
