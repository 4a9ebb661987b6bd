"""The body of a request that starts a strategy: ORCH's ``config``."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)

from fastrouter.core.leaves import symbol_valid
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import MessageError
from fastrouter.models.fields import decimal_text, symbol_schema

__all__ = ["StartConfig", "read"]


def _symbol(text: str) -> str:
    if not symbol_valid(text):
        raise ValueError("no symbol; allowed: as S:AAPL or AAPL, 1 to 128 bytes")
    return text


def _timeframe(text: str) -> str:
    if text not in TIMEFRAMES:
        raise ValueError(f"allowed: one of {', '.join(TIMEFRAMES)}")
    return text


Symbol = Annotated[str, AfterValidator(_symbol), symbol_schema()]
Timeframe = Annotated[
    str, AfterValidator(_timeframe), WithJsonSchema({"type": "string", "enum": [*TIMEFRAMES]})
]


def _number(value: object) -> Decimal:
    if isinstance(value, str):
        raise ValueError("a text; allowed: a number")
    return Decimal(decimal_text(value))


def _above_zero(most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": most})


def _figure(value: Decimal) -> float | str:
    """As JSON has it: decimal text where no double is that number."""
    near = float(value)
    return near if Decimal(repr(near)) == value else f"{value:f}"


#: what a double is not, is kept as it was written
AsWritten = Annotated[Decimal, BeforeValidator(_number), PlainSerializer(_figure)]
Amount = Annotated[AsWritten, Field(gt=0, le=10**12), _above_zero(10**12)]
Share = Annotated[AsWritten, Field(gt=0, le=1), _above_zero(1)]


class StartConfig(BaseModel):
    """What is not given is as it is configured."""

    model_config = ConfigDict(extra="forbid", strict=True)

    symbols: list[Symbol] | None = Field(default=None, min_length=1, examples=[["AAPL", "S:MSFT"]])
    dataResolution: Timeframe | None = Field(
        default=None, description="of its candles", examples=["1m"]
    )
    realTrading: bool | None = Field(
        default=None,
        description="whether its orders are taken on a live account; those that "
        "name no strategy are not held to it",
    )
    maxPositionValue: Amount | None = None
    maxOrdersPerMinute: int | None = Field(default=None, ge=1)
    stopLossPercentage: Share | None = Field(
        default=None, description="of what the position cost: 0.02 is 2 %"
    )


def read(body: Any) -> dict[str, Any]:
    """The same as a plain dict of what was given. Raises MessageError."""
    try:
        config = StartConfig.model_validate(body)
    except ValidationError as error:
        lines = (
            f"{'.'.join(map(str, problem['loc'])) or 'the body'}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
        raise MessageError("; ".join(lines)) from None
    return config.model_dump(exclude_none=True)
