"""The Strategy Orchestrator's envelope (ORCH): ``{"type", "timestamp", "data"}``.

============ =============================================================================
kind         message
============ =============================================================================
strategy     ``strategy_started``, ``strategy_stopped``, ``strategy_paused``,
             ``strategy_status_list``, ``execution_service_status``
signal       ``strategy_signal``
trade        ``strategy_trade``
risk         ``risk_limit_breached``, ``risk_status``
order, position, account   the same word, the routed fields (see `wrapped`)
============ =============================================================================

Of the documented messages all fields are there; what is not known is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastrouter.core.kinds import ACTIONS, DIRECTIONS
from fastrouter.core.leaves import iso8601_short
from fastrouter.dialects.payload import (
    Body,
    Made,
    Maker,
    Reader,
    canonical,
    given,
    iso,
    number,
    plain,
    short,
    text,
    word,
)
from fastrouter.dialects.wrapped import Wrapped

if TYPE_CHECKING:
    from fastrouter.core.event import Event

__all__ = ["ANSWERS", "Orchestrator"]

#: what commands are answered with: in this envelope, in whatever dialect it was asked
ANSWERS = frozenset(
    (
        *("strategy_status_list", "strategy_started", "strategy_stopped", "strategy_paused"),
        *("execution_service_status", "risk_status", "risk_limit_breached"),
    )
)


class Orchestrator(Wrapped):
    """Dialect ``orchestrator``; decimals are numbers whatever `decimals` says."""

    def __init__(self, decimals: str = "number") -> None:
        super().__init__("orchestrator", "data", MAKERS, READERS)


# ------------------------------------------------------------------ what is sent


def _routed(kind: str, payload: Body, event: Event) -> Made:
    return kind, {**plain(payload), "event_id": f"evt_{event.id}"}


def _same(payload: Body, event: Event) -> Made:
    return _routed(event.kind, payload, event)


def _risk(payload: Body, event: Event) -> Made:
    body = {key: value for key, value in payload.items() if key != "event"}
    return _routed(f"risk_{payload.get('event', 'limit_breached')}", body, event)


def _signal(payload: Body, event: Event) -> Made:
    strategy_id = payload.get("strategy_id")
    return "strategy_signal", {
        "id": payload.get("id"),
        "strategyId": strategy_id,
        "name": payload.get("name", payload.get("strategy", strategy_id)),
        "symbol": payload.get("symbol"),
        "price": number(payload.get("price")),
        "action": payload.get("action", word(payload.get("direction"), ACTIONS)),
        "quantity": number(payload.get("quantity")),
        "metadata": payload.get("metadata", {}),
        "timestamp": _time(payload, event),
        "confidence": payload.get("confidence", 1),
    }


def _trade(payload: Body, event: Event) -> Made:
    timestamp = _time(payload, event)
    return "strategy_trade", {
        "id": payload.get("id"),
        "strategyId": payload.get("strategy_id"),
        "orderId": payload.get("order_id"),
        "symbol": payload.get("symbol"),
        "side": payload.get("side"),
        "quantity": number(payload.get("executed_quantity")),
        "entryPrice": number(payload.get("executed_price")),
        "entryTime": short(payload.get("entry_time", timestamp)),
        "status": payload.get("status", "FILLED"),
        "timestamp": timestamp,
    }


def _time(payload: Body, event: Event) -> Any:
    """When it happened; that is when it was published, unless the payload says otherwise."""
    stamp = payload.get("timestamp")
    return iso8601_short(event.time) if stamp is None else short(stamp)


def _strategy(payload: Body, event: Event) -> Made | None:
    maker = STRATEGY_MAKERS.get(payload.get("event", ""))
    return None if maker is None else maker(payload)


def _started(payload: Body) -> Made:
    return "strategy_started", _named(payload, symbols=payload.get("symbols", []))


def _stopped(payload: Body) -> Made:
    return "strategy_stopped", _named(payload)


def _paused(payload: Body) -> Made:
    return "strategy_paused", _named(payload)


def _named(payload: Body, **more: Any) -> Body:
    strategy_id = payload.get("strategy_id")
    name = payload.get("name", strategy_id)
    return {"strategyId": strategy_id, "name": name, **more, **given(reason=payload.get("reason"))}


def _status_list(payload: Body) -> Made:
    return "strategy_status_list", [_running(one) for one in payload.get("strategies", [])]


def _running(strategy: Body) -> Body:
    positions = strategy.get("positions", [])
    return {
        "id": strategy.get("id"),
        "name": strategy.get("name", strategy.get("id")),
        "status": strategy.get("status"),
        "symbols": strategy.get("symbols", []),
        "positions": [
            {
                "symbol": one.get("symbol"),
                "quantity": number(one.get("quantity")),
                "entryPrice": number(one.get("entryPrice")),
                "currentValue": number(one.get("currentValue")),
            }
            for one in positions
        ],
    }


def _service_status(payload: Body) -> Made:
    return "execution_service_status", {"status": payload.get("status")}


STRATEGY_MAKERS = {
    "started": _started,
    "stopped": _stopped,
    "paused": _paused,
    "status_list": _status_list,
    "service_status": _service_status,
}

MAKERS: dict[str, Maker] = {
    "order": _same,
    "trade": _trade,
    "position": _same,
    "account": _same,
    "signal": _signal,
    "strategy": _strategy,
    "risk": _risk,
}


# ------------------------------------------------------------------ what is read


def _read_signal(body: Body) -> Made:
    action = body.get("action")
    return "signal", given(
        id=body.get("id"),
        strategy_id=body.get("strategyId"),
        strategy=body.get("name"),
        symbol=body.get("symbol"),
        action=action,
        direction=word(action, DIRECTIONS),
        price=text(body.get("price")),
        quantity=text(body.get("quantity")),
        confidence=body.get("confidence"),
        timestamp=iso(body.get("timestamp")),
        metadata=body.get("metadata"),
    )


def _read_trade(body: Body) -> Made:
    return "trade", given(
        id=body.get("id"),
        order_id=body.get("orderId"),
        strategy_id=body.get("strategyId"),
        symbol=body.get("symbol"),
        side=body.get("side"),
        executed_quantity=text(body.get("quantity")),
        executed_price=text(body.get("entryPrice")),
        status=body.get("status"),
        entry_time=iso(body.get("entryTime")),
        timestamp=iso(body.get("timestamp")),
    )


def _read_strategy(happened: str, body: Body) -> Made:
    return "strategy", given(
        event=happened,
        strategy_id=body.get("strategyId"),
        name=body.get("name"),
        symbols=body.get("symbols"),
        status=body.get("status"),
        reason=body.get("reason"),
    )


def _read_status_list(body: list[Body]) -> Made:
    strategies = [
        {**one, "positions": [_read_holding(holding) for holding in one["positions"]]}
        for one in body
    ]
    return "strategy", {"event": "status_list", "strategies": strategies}


def _read_holding(body: Body) -> Body:
    return {key: text(value) for key, value in body.items() if value is not None}


def _read_risk(happened: str, body: Body) -> Made:
    return "risk", {"event": happened, **canonical(body)}


READERS: dict[str, Reader] = {
    "order": lambda body: ("order", canonical(body)),
    "position": lambda body: ("position", canonical(body)),
    "account": lambda body: ("account", canonical(body)),
    "strategy_signal": _read_signal,
    "strategy_trade": _read_trade,
    "strategy_started": lambda body: _read_strategy("started", body),
    "strategy_stopped": lambda body: _read_strategy("stopped", body),
    "strategy_paused": lambda body: _read_strategy("paused", body),
    "execution_service_status": lambda body: _read_strategy("service_status", body),
    "strategy_status_list": _read_status_list,
    "risk_limit_breached": lambda body: _read_risk("limit_breached", body),
    "risk_status": lambda body: _read_risk("status", body),
}
