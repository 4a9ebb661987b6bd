"""CORE's messages beside market data: ``{"type", "data", "timestamp"}``, times as Unix ms.

======================= ================================================================
event                   message
======================= ================================================================
trade                   ``TradeExecuted``
position                ``PositionUpdate``; a closed one says what it gained as well
signal                  ``AISignalReceived``
account, strategy       ``BotStatusUpdate``
risk                    ``Error``, its severity the payload's
connection CONNECTED    ``Connected``
error                   ``Error``
rate_limit              ``Error``, code ``WEBSOCKET_ERROR``, severity ``WARNING``
pong                    ``Pong``
others of a session     their word in PascalCase: ``Subscribed``
======================= ================================================================

All documented fields are there. What CORE's frontend formats is a number, 0 when not
known; other things that are not known are null, and so are figures of a bot of which
only a strategy was told.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fastrouter.core.kinds import ACTIONS, DIRECTIONS
from fastrouter.core.leaves import ns_to_ms
from fastrouter.dialects.payload import (
    Body,
    Made,
    Maker,
    Reader,
    given,
    iso,
    ms,
    number,
    text,
    word,
)
from fastrouter.errors import gravity

if TYPE_CHECKING:
    from fastrouter.core.event import Event

__all__ = ["MAKERS", "READERS", "said"]

VERSION = "1.0.0"
"""Of the protocol: what CORE's document has."""

#: what became of a strategy -> the bot's state
STATES = {"started": "RUNNING", "stopped": "STOPPED", "paused": "PAUSED"}

POSITION_NUMBERS = ("liquidation_price", "margin", "stop_loss", "take_profit")

RISK = "RISK_"


# ------------------------------------------------------------------ what is sent


def _trade(payload: Body, event: Event) -> Made:
    quantity = number(payload.get("executed_quantity"), 0)
    price = number(payload.get("executed_price"), 0)
    return "TradeExecuted", {
        "trade_id": payload.get("id"),
        "order_id": payload.get("order_id"),
        "symbol": payload.get("symbol"),
        "side": payload.get("side"),
        "type": payload.get("type"),
        "quantity": number(payload.get("quantity"), quantity),
        "price": number(payload.get("price"), price),
        "executed_quantity": quantity,
        "executed_price": price,
        "commission": number(payload.get("commission"), 0),
        "commission_asset": payload.get("commission_asset"),
        "status": payload.get("status", "FILLED"),
        "timestamp": _time(payload, event),
        "strategy": payload.get("strategy", payload.get("strategy_id")),
        "ai_signal_id": payload.get("signal_id"),
    }


def _position(payload: Body, event: Event) -> Made:
    action, entry = payload.get("action"), number(payload.get("entry_price"), 0)
    opened = ns_to_ms(event.time) if action == "OPENED" else None
    known = payload.get("current_price", payload.get("exit_price"))
    position = {
        "id": payload.get("id"),
        "symbol": payload.get("symbol"),
        "side": payload.get("side"),
        "entry_price": entry,
        "current_price": number(known, entry),
        "quantity": number(payload.get("quantity"), 0),
        "leverage": number(payload.get("leverage"), 1),
        "unrealized_pnl": number(payload.get("unrealized_pnl"), 0),
        "unrealized_pnl_percent": number(payload.get("unrealized_pnl_percent"), 0),
        **{name: number(payload.get(name)) for name in POSITION_NUMBERS},
        "entry_time": ms(payload.get("entry_time", opened)),
    }
    if action == "CLOSED":
        position |= given(
            exit_price=number(payload.get("exit_price")),
            exit_time=ms(payload.get("exit_time")),
            exit_type=payload.get("exit_type"),
            pnl=number(payload.get("pnl")),
            pnl_pct=number(payload.get("pnl_pct")),
            duration_minutes=payload.get("duration_minutes"),
        )
    return "PositionUpdate", {"action": action, "position": position}


def _signal(payload: Body, event: Event) -> Made:
    return "AISignalReceived", {
        "symbol": payload.get("symbol"),
        "signal": payload.get("direction", word(payload.get("action"), DIRECTIONS)),
        "confidence": payload.get("confidence", 1),
        "timestamp": _time(payload, event),
        "model_type": payload.get("model_type"),
        "timeframe": payload.get("timeframe"),
        "reasoning": payload.get("reasoning"),
        "strategy_scores": payload.get("strategy_scores", {}),
        "market_analysis": payload.get("market_analysis", {}),
        "risk_assessment": payload.get("risk_assessment", {}),
    }


def _time(payload: Body, event: Event) -> Any:
    """When it happened; that is when it was published, unless the payload says otherwise."""
    return ms(payload.get("timestamp", ns_to_ms(event.time)))


def _account(payload: Body, event: Event) -> Made:
    balance = number(payload.get("equity"), 0)
    return "BotStatusUpdate", {
        "status": payload.get("status", "RUNNING"),
        "mode": payload.get("mode", "PAPER_TRADING"),
        "uptime_seconds": _whole(payload.get("uptime_seconds", 0)),
        "total_positions": payload.get("total_positions", 0),
        "total_balance": number(payload.get("total_balance"), balance),
        "total_pnl": number(payload.get("total_pnl"), 0),
        "total_pnl_percent": number(payload.get("total_pnl_percent"), 0),
        "enabled_strategies": payload.get("enabled_strategies", []),
        "last_signal_time": ms(payload.get("last_signal_time")),
        "next_signal_time": ms(payload.get("next_signal_time")),
    }


def _whole(value: Any) -> Any:
    """Seconds as CORE has them; what is no number stays."""
    return int(value) if isinstance(value, float) and math.isfinite(value) else value


def _strategy(payload: Body, event: Event) -> Made:
    """The bot's status, and its figures; null for one that was not given: 0 would be a lie."""
    happened, running = payload.get("event", ""), payload.get("strategies", [])
    state = STATES.get(happened, "RUNNING")
    names = [payload["strategy_id"]] if happened == "started" and "strategy_id" in payload else None
    if happened == "status_list":
        names = [one.get("id") for one in running]
        state = "RUNNING" if running else "STOPPED"
    told = {"status": state, **given(enabled_strategies=names), **payload}
    kind, body = _account(told, event)
    return kind, {name: value if name in told else None for name, value in body.items()}


def _risk(payload: Body, event: Event) -> Made:
    rule, happened = payload.get("rule"), payload.get("event", "limit_breached")
    about = given(
        rule=rule,
        strategy_id=payload.get("strategy_id"),
        account_id=payload.get("account_id"),
        symbol=payload.get("symbol"),
        limit=number(payload.get("limit")),
        value=number(payload.get("value")),
    )
    return "Error", {
        "code": f"{RISK}{happened.upper()}",
        "message": payload.get("message", f"{rule}: {happened.replace('_', ' ')}"),
        "severity": payload.get("severity", "WARNING"),
        "details": {**payload.get("details", {}), **about},
        "timestamp": ns_to_ms(event.time),
        "recoverable": payload.get("recoverable", True),
    }


MAKERS: dict[str, Maker] = {
    "trade": _trade,
    "position": _position,
    "account": _account,
    "signal": _signal,
    "strategy": _strategy,
    "risk": _risk,
}


# ------------------------------------------------------------------ what a session says


def said(kind: str, fields: Body, now: int) -> Made:
    """Type and body of a message of the session's own; `now` in Unix ms."""
    maker = CONTROL.get(kind)
    if maker is None:
        return "".join(part.title() for part in kind.split("_")), fields
    return maker(fields, now)


def _welcome(fields: Body, now: int) -> Made:
    return "Connected", {
        "client_id": fields.get("session_id"),
        "server_time": now,
        "version": fields.get("version", VERSION),
        **given(last_id=fields.get("last_id")),
    }


def _connection(fields: Body, now: int) -> Made:
    return _welcome(fields, now) if fields.get("event") == "CONNECTED" else ("Connection", fields)


def _pong(fields: Body, now: int) -> Made:
    return "Pong", {"timestamp": now}


def _error(fields: Body, now: int) -> Made:
    code = fields.get("code")
    grave = gravity(code or "")
    return "Error", {
        "code": code,
        "message": fields.get("message"),
        "severity": fields.get("severity", grave.severity),
        "details": {
            **fields.get("details", {}),
            **{key: fields[key] for key in fields if key not in ERROR_FIELDS},
        },
        "timestamp": now,
        "recoverable": fields.get("recoverable", grave.recoverable),
    }


def _rate_limit(fields: Body, now: int) -> Made:
    return _error({**fields, "code": "WEBSOCKET_ERROR", "severity": "WARNING"}, now)


ERROR_FIELDS = frozenset(("code", "message", "severity", "recoverable", "details"))

CONTROL = {
    "welcome": _welcome,
    "connection": _connection,
    "pong": _pong,
    "error": _error,
    "rate_limit": _rate_limit,
}


# ------------------------------------------------------------------ what is read


def _read_trade(body: Body) -> Made:
    return "trade", given(
        id=body.get("trade_id"),
        order_id=body.get("order_id"),
        strategy=body.get("strategy"),
        symbol=body.get("symbol"),
        side=body.get("side"),
        type=body.get("type"),
        quantity=text(body.get("quantity")),
        price=text(body.get("price")),
        executed_quantity=text(body.get("executed_quantity")),
        executed_price=text(body.get("executed_price")),
        commission=text(body.get("commission")),
        commission_asset=body.get("commission_asset"),
        status=body.get("status"),
        timestamp=iso(body.get("timestamp")),
        signal_id=body.get("ai_signal_id"),
    )


def _read_position(body: Body) -> Made:
    position = body["position"]
    return "position", given(
        id=position.get("id"),
        symbol=position.get("symbol"),
        side=position.get("side"),
        action=body.get("action"),
        quantity=text(position.get("quantity")),
        entry_price=text(position.get("entry_price")),
        current_price=text(position.get("current_price")),
        leverage=text(position.get("leverage")),
        unrealized_pnl=text(position.get("unrealized_pnl")),
        unrealized_pnl_percent=text(position.get("unrealized_pnl_percent")),
        **{name: text(position.get(name)) for name in POSITION_NUMBERS},
        entry_time=iso(position.get("entry_time")),
        exit_price=text(position.get("exit_price")),
        exit_time=iso(position.get("exit_time")),
        exit_type=position.get("exit_type"),
        pnl=text(position.get("pnl")),
        pnl_pct=text(position.get("pnl_pct")),
        duration_minutes=position.get("duration_minutes"),
    )


def _read_signal(body: Body) -> Made:
    direction = body.get("signal")
    return "signal", given(
        symbol=body.get("symbol"),
        action=word(direction, ACTIONS),
        direction=direction,
        confidence=body.get("confidence"),
        timestamp=iso(body.get("timestamp")),
        timeframe=body.get("timeframe"),
        model_type=body.get("model_type"),
        reasoning=body.get("reasoning"),
        strategy_scores=body.get("strategy_scores"),
        market_analysis=body.get("market_analysis"),
        risk_assessment=body.get("risk_assessment"),
    )


def _read_account(body: Body) -> Made:
    return "account", given(
        status=body.get("status"),
        mode=body.get("mode"),
        total_balance=text(body.get("total_balance")),
        total_pnl=text(body.get("total_pnl")),
        total_pnl_percent=text(body.get("total_pnl_percent")),
        total_positions=body.get("total_positions"),
        uptime_seconds=body.get("uptime_seconds"),
        enabled_strategies=body.get("enabled_strategies"),
        last_signal_time=iso(body.get("last_signal_time")),
        next_signal_time=iso(body.get("next_signal_time")),
    )


def _read_error(body: Body) -> Made:
    code = body.get("code", "")
    if not code.startswith(RISK):
        return "error", body
    details = dict(body.get("details", {}))
    about = {key: details.pop(key, None) for key in ("rule", "strategy_id", "account_id", "symbol")}
    return "risk", given(
        event=code.removeprefix(RISK).lower(),
        **about,
        limit=text(details.pop("limit", None)),
        value=text(details.pop("value", None)),
        message=body.get("message"),
        severity=body.get("severity"),
        recoverable=body.get("recoverable"),
        details=details or None,
    )


def _read_connected(body: Body) -> Made:
    named = {"event": "CONNECTED", "session_id": body.get("client_id")}
    return "connection", {**named, **{key: body[key] for key in body if key != "client_id"}}


READERS: dict[str, Reader] = {
    "TradeExecuted": _read_trade,
    "PositionUpdate": _read_position,
    "AISignalReceived": _read_signal,
    "BotStatusUpdate": _read_account,
    "Error": _read_error,
    "Connected": _read_connected,
    "Connection": lambda body: ("connection", body),
}
