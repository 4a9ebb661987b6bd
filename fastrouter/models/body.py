"""An event as a publisher outside writes it: ``{"kind", "payload"}``, and what it may add.

``symbol`` is the topic's when it is not the payload's own, ``time`` the event's, default now, and
``account`` whose an order, trade, position or account is.

One model per kind, made of the payload's: they are what OpenAPI shows. `event_of` is what checks.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import ACCOUNT_KINDS, KINDS, topic_symbol
from fastrouter.core.leaves import parse_iso8601, symbol_valid
from fastrouter.errors import EventError
from fastrouter.models import MODELS, validate
from fastrouter.models.complaint import complaint
from fastrouter.models.fields import Name, Symbol, Time
from fastrouter.models.market import MARKET_MODELS, market_event
from fastrouter.models.payload import Payload

__all__ = ["BODIES", "event_of"]


class Body(Payload):
    """What every event's body may have."""

    kind: Literal[tuple(KINDS)]  # type: ignore[valid-type]
    payload: dict[str, Any]
    symbol: Symbol | None = None
    time: Time | None = None
    account: Name | None = None


def _body(kind: str, payload: type[BaseModel]) -> type[BaseModel]:
    """The model of one kind's events, for a schema."""
    fields: dict[str, Any] = {"kind": (Literal[kind], ...), "payload": (payload, ...)}
    fields["time"] = (Time | None, None)
    if kind not in MARKET_MODELS:
        fields["symbol"] = (Symbol | None, None)
    if kind in ACCOUNT_KINDS:
        fields["account"] = (Name | None, None)
    config = ConfigDict(extra="forbid")
    return create_model(f"{kind.capitalize()}Event", __config__=config, **fields)


#: kind -> the model of its events
BODIES: dict[str, type[BaseModel]] = {
    kind: _body(kind, model) for kind, model in {**MARKET_MODELS, **MODELS}.items()
}


def event_of(body: object) -> Quote | Candle | Event:
    """The event of a body, its payload in the form in which it is routed.

    Raises EventError, in one line, that names the field, why it cannot be, and what is allowed.
    """
    if not isinstance(body, dict):
        raise EventError(f"{type(body).__name__}; allowed: an object with kind and payload")
    try:
        said = Body.model_validate(body)
    except ValidationError as error:
        raise EventError(complaint(Body, error)) from None
    kind, time = said.kind, 0 if said.time is None else parse_iso8601(said.time)
    _check_belongings(said)
    if kind in MARKET_MODELS:
        event = market_event(kind, said.payload, time)
        _check_symbol(event.symbol)
        return event
    payload = validate(kind, said.payload)
    symbol = topic_symbol(kind, payload) if said.symbol is None else said.symbol
    if symbol:
        _check_symbol(symbol)
    return Event(kind, payload, symbol=symbol, time=time, account=said.account or "")


def _check_belongings(said: Body) -> None:
    if said.symbol is not None and said.kind in MARKET_MODELS:
        raise EventError(f"symbol: a {said.kind} has it in its payload alone")
    if said.account is not None and said.kind not in ACCOUNT_KINDS:
        raise EventError(
            f"account: a {said.kind} belongs to none; allowed with {', '.join(ACCOUNT_KINDS)}"
        )


def _check_symbol(symbol: str) -> None:
    if not symbol_valid(symbol):
        raise EventError(
            f"symbol {symbol!r} cannot be one; allowed: 1 to 128 bytes without spaces, "
            "control characters, ',' and '*'"
        )
