"""A body that submits or replaces an order: Alpaca's words as the broker's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fastrouter.broker import Market
from fastrouter.broker.intake import CHANGEABLE
from fastrouter.broker.request import CASES, PLACES
from fastrouter.control.trading.symbols import wanted_symbol
from fastrouter.errors import OrderError
from fastrouter.models.cases import GIVEN, Cases, stated
from fastrouter.models.fields import Number, above_zero_schema, shown

__all__ = ["NewOrder", "Replacement", "order_fields", "replacement_fields"]

Text = Annotated[str, Field(max_length=128)]


Quantity = Annotated[Number, above_zero_schema(12, PLACES["qty"], 1e-9)]
Price = Annotated[Number, above_zero_schema(12, PLACES["limit_price"], 1e-15)]


#: what goes with each side
INTENTS: Cases = tuple(
    {
        "side": frozenset({side}),
        "position_intent": frozenset({f"{side}_to_open", f"{side}_to_close", None}),
    }
    for side in ("buy", "sell")
)


def _stated(schema: dict[str, Any]) -> None:
    schema.update(stated(schema, CASES, INTENTS))


class NewOrder(BaseModel):
    """What OpenAPI shows. `qty` or `notional` is required; prices as the type needs them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_stated)

    symbol: Text = Field(min_length=1, examples=["AAPL", "S:AAPL", "BTC/USD"])
    side: Literal["buy", "sell"]
    type: Literal["market", "limit", "stop", "stop_limit"] = "market"
    time_in_force: Literal["day", "gtc", "ioc", "fok"] = "day"
    qty: Quantity | None = None
    notional: Quantity | None = None
    limit_price: Price | None = None
    stop_price: Price | None = None
    client_order_id: Text | None = None
    strategy_id: Text | None = None
    extended_hours: Literal[False] | None = None
    order_class: Literal["", "simple"] | None = None
    position_intent: (
        Literal["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"] | None
    ) = None


#: something is to be replaced
CHANGES: Cases = tuple({name: GIVEN} for name in CHANGEABLE)


class Replacement(BaseModel):
    """What OpenAPI shows; what is not given stays as it was."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra=lambda schema: schema.update(stated(schema, CHANGES))
    )

    qty: Quantity | None = None
    time_in_force: Literal["day", "gtc", "ioc", "fok"] | None = None
    limit_price: Price | None = None
    stop_price: Price | None = None
    client_order_id: Text | None = None


#: Alpaca's fields that change nothing here -> what they may be
HARMLESS: dict[str, tuple[Any, ...]] = {
    "extended_hours": (False,),
    "order_class": ("", "simple"),
    "legs": ([],),
    "position_intent": ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"),
}
#: Alpaca's fields that ask for what there is not
UNSUPPORTED = frozenset(
    (
        *("trail_price", "trail_percent", "trail", "hwm", "take_profit", "stop_loss"),
        *("advanced_instructions", "ratio_qty"),
    )
)


def order_fields(body: Any, strategy_id: str, market: Market) -> dict[str, Any]:
    """What the broker is to `submit`. Raises OrderError, code INVALID_ORDER."""
    fields = _given(body)
    for name, allowed in HARMLESS.items():
        if name in fields:
            _check_harmless(name, fields, allowed)
    _supported(fields)
    kept = {name: value for name, value in fields.items() if name not in HARMLESS}
    _check_strategy(kept, strategy_id)
    if isinstance(kept.get("symbol"), str):
        kept["symbol"] = wanted_symbol(market, kept["symbol"])
    return kept


def replacement_fields(body: Any) -> dict[str, Any]:
    """What the broker is to `replace`. Raises OrderError, code INVALID_ORDER."""
    fields = _given(body)
    _supported(fields)
    return fields


def _given(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise _refused(f"the body is {shown(body)}; allowed: an object")
    return {name: value for name, value in body.items() if value is not None}


def _check_harmless(name: str, fields: dict[str, Any], allowed: tuple[Any, ...]) -> None:
    value = fields[name]
    if not any(type(value) is type(one) and value == one for one in allowed):
        said = ", ".join("false" if one is False else repr(one) for one in allowed)
        raise _refused(f"{name} {shown(value)} is not supported; allowed: {said}")
    side = str(fields.get("side")).lower()
    if name == "position_intent" and not value.startswith(f"{side}_"):
        raise _refused(f"position_intent {value} does not go with side {shown(fields.get('side'))}")


def _supported(fields: dict[str, Any]) -> None:
    for name in fields:
        if name in UNSUPPORTED:
            raise _refused(f"{name} is not supported: it must not be given")


def _check_strategy(fields: dict[str, Any], strategy_id: str) -> None:
    """The path's strategy is whose order it is."""
    if not strategy_id:
        return
    if fields.get("strategy_id", strategy_id) != strategy_id:
        raise _refused(
            f"strategy_id is {shown(fields['strategy_id'])}; allowed here: {shown(strategy_id)}"
        )
    fields["strategy_id"] = strategy_id


def _refused(message: str) -> OrderError:
    return OrderError(message, code="INVALID_ORDER")
