"""The stream of Alpaca's Trading API: ``{"stream": "trade_updates", "data": {…}}``.

Orders alone have a message: what happened, and the order as REST shows it. What the
session says itself has Alpaca's words: ``authorization``, ``listening``; there is no welcome,
for its clients take the first message for the answer to theirs. ``error`` is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from fastrouter.core.asset import asset_of
from fastrouter.core.dialect import Dialect
from fastrouter.core.event import Event
from fastrouter.core.kinds import ALPACA_STATUSES
from fastrouter.core.leaves import iso8601
from fastrouter.dialects.payload import Body, given, word
from fastrouter.errors import ErrorCode

if TYPE_CHECKING:
    from fastrouter.core.event import Candle, Quote

__all__ = ["Alpaca"]

#: what happened -> Alpaca's word; who says nothing of it tells the order anew
EVENTS = {
    "ORDER_ACCEPTED": "new",
    "ORDER_PARTIALLY_FILLED": "partial_fill",
    "ORDER_FILLED": "fill",
    "ORDER_CANCELED": "canceled",
    "ORDER_REJECTED": "rejected",
    "ORDER_REPLACED": "replaced",
    "ORDER_EXPIRED": "expired",
}
RESTATED = "restated"

#: status -> the field that says since when: an order comes into each of them once
STAMPS = {
    "filled": "filled_at",
    "canceled": "canceled_at",
    "expired": "expired_at",
    "rejected": "failed_at",
    "replaced": "replaced_at",
}

AUTHORIZATION = "authorization"
#: errors that are an answer to ``authenticate``
NOT_AUTHORIZED = frozenset((ErrorCode.NOT_AUTHENTICATED, ErrorCode.TOKEN_EXPIRED))
#: what Alpaca's sessions are not told
SILENT = frozenset(("welcome", "connection", "ping", "pong"))


class Alpaca(Dialect):
    """Dialect ``alpaca``; decimals are strings whatever `decimals` says."""

    def __init__(self, decimals: str = "string") -> None:
        super().__init__("alpaca")

    def encode(self, event: Quote | Candle | Event) -> bytes | None:
        if not isinstance(event, Event) or event.kind != "order":
            return None
        if not isinstance(event.payload, dict):
            return None
        return orjson.dumps({"stream": "trade_updates", "data": _update(event)})

    def control(self, kind: str, fields: Any, time: int) -> bytes:
        if kind in SILENT:
            raise NotImplementedError(f"dialect {self.name!r} has no {kind!r} message")
        return orjson.dumps(_said(kind, fields))


def _said(kind: str, fields: Any) -> Body:
    """A message of the session's own."""
    if kind == "authenticated":
        return {"stream": AUTHORIZATION, "data": {"action": "authenticate", "status": "authorized"}}
    if kind == "error" and fields.get("code") in NOT_AUTHORIZED:
        data = {"action": "authenticate", "status": "unauthorized", **fields}
        return {"stream": AUTHORIZATION, "data": data}
    return {"stream": kind, "data": fields}


def _update(event: Event) -> Body:
    """What happened to an order."""
    payload: Body = event.payload
    told = payload.get("metadata")
    more: Body = told if isinstance(told, dict) else {}
    fill = more.get("fill_id")
    about = fill or f"{payload.get('id')}:{payload.get('status')}"
    return given(
        event=word(payload.get("event", RESTATED), EVENTS),
        event_id=f"evt_{event.id}",
        execution_id=str(uuid5(NAMESPACE_URL, f"fastrouter:execution:{about}")),
        timestamp=payload.get("updated_at", iso8601(event.time)),
        price=more.get("fill_price"),
        qty=more.get("fill_qty"),
        position_qty=more.get("position_qty"),
        order=_order(payload, more, iso8601(event.time)),
    )


def _order(payload: Body, more: Body, time: str) -> Body:
    """The order as REST shows it."""
    symbol = str(payload.get("symbol", ""))
    asset = asset_of(symbol)
    status = payload.get("status")
    created, updated = payload.get("created_at", time), payload.get("updated_at", time)
    kind, notional = _lower(payload.get("type")), more.get("notional")
    return {
        "id": payload.get("id"),
        "client_order_id": payload.get("client_order_id", payload.get("id")),
        "created_at": created,
        "updated_at": updated,
        "submitted_at": created,
        "filled_at": None,
        "expired_at": None,
        "expires_at": more.get("expires_at"),
        "canceled_at": None,
        "failed_at": None,
        "replaced_at": None,
        **{name: updated for ended, name in STAMPS.items() if ended == status},
        "replaced_by": more.get("replaced_by"),
        "replaces": more.get("replaces"),
        "asset_id": asset.id,
        "symbol": asset.name,
        "topic_symbol": symbol,
        "asset_class": asset.asset_class,
        "notional": notional,
        "qty": payload.get("qty") if notional is None else None,
        "filled_qty": payload.get("filled_qty", "0"),
        "filled_avg_price": payload.get("filled_avg_price"),
        "order_class": "simple",
        "order_type": kind,
        "type": kind,
        "side": _lower(payload.get("side")),
        "time_in_force": payload.get("time_in_force"),
        "limit_price": payload.get("limit_price"),
        "stop_price": payload.get("stop_price"),
        "status": ALPACA_STATUSES.get(status, status) if isinstance(status, str) else status,
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "position_intent": None,
        "strategy_id": payload.get("strategy_id", ""),
        "commission": more.get("commission", "0"),
        "code": more.get("code"),
        "reason": payload.get("reason"),
    }


def _lower(word: Any) -> Any:
    return word.lower() if isinstance(word, str) else word
