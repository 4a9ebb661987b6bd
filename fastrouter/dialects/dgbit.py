"""dgbit-api's envelope (DGBIT): ``{"type", "timestamp", "payload"}``.

======== ===================================================================================
kind     message
======== ===================================================================================
job      ``job.created``, ``job.started``, ``job.completed``, ``job.failed``
position ``trade.entered`` when opened, ``trade.exited`` when closed
signal   ``signal.generated``; `confidence` is a word, `signal_value` the number
trade    ``trade.executed``, the routed fields (see `wrapped`)
order    ``order``, the routed fields
======== ===================================================================================

All that a session gets unasked has its body under ``payload``, since DGBIT's
listeners read that first. What they format as a number is one: 0 when not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from fastrouter.core.kinds import ACTIONS, DIRECTIONS
from fastrouter.dialects.payload import (
    Body,
    Made,
    Maker,
    Reader,
    canonical,
    given,
    number,
    plain,
    text,
    word,
)
from fastrouter.dialects.wrapped import Wrapped

if TYPE_CHECKING:
    from fastrouter.core.event import Event

__all__ = ["Dgbit"]

#: from which confidence on it is called so
WORDS = ((0.7, "high"), (0.4, "medium"))

#: status -> type
JOBS = {
    "pending": "job.created",
    "running": "job.started",
    "completed": "job.completed",
    "failed": "job.failed",
}

#: answers of DGBIT that are no events, and have no envelope
BARE = {"echo": "ping", "ack": "ack"}


class Dgbit(Wrapped):
    """Dialect ``dgbit``; decimals are numbers whatever `decimals` says."""

    def __init__(self, decimals: str = "number") -> None:
        super().__init__("dgbit", "payload", MAKERS, READERS)

    def control(self, kind: str, fields: Any, time: int) -> bytes:
        """As `Wrapped`; the welcome of a job's stream, and what it answers, stand bare."""
        if kind == "welcome" and "job_uuid" in fields:
            bare = {"job_uuid": fields["job_uuid"], "message": fields.get("message")}
            return orjson.dumps({"type": "subscribed", **bare})
        if kind in BARE:
            return orjson.dumps({"type": BARE[kind], **fields})
        return super().control(kind, fields, time)


# ------------------------------------------------------------------ what is sent


def _order(payload: Body, event: Event) -> Made:
    return "order", {**plain(payload), "event_id": f"evt_{event.id}"}


def _trade(payload: Body, event: Event) -> Made:
    return "trade.executed", {
        **plain(payload),
        "side": _lower(payload.get("side")),
        "event_id": f"evt_{event.id}",
    }


def _position(payload: Body, event: Event) -> Made | None:
    maker = POSITION_MAKERS.get(payload.get("action", ""))
    return None if maker is None else maker(payload)


def _entered(payload: Body) -> Made:
    return "trade.entered", {
        "symbol": payload.get("symbol"),
        "side": _lower(payload.get("side")),
        "quantity": number(payload.get("quantity")),
        "entry_price": number(payload.get("entry_price")),
        "take_profit": number(payload.get("take_profit")),
        "stop_loss": number(payload.get("stop_loss")),
        "strategy": payload.get("strategy", payload.get("strategy_id")),
    }


def _exited(payload: Body) -> Made:
    return "trade.exited", {
        "symbol": payload.get("symbol"),
        "side": _lower(payload.get("side")),
        "quantity": number(payload.get("quantity")),
        "entry_price": number(payload.get("entry_price")),
        "exit_price": number(payload.get("exit_price")),
        "exit_type": payload.get("exit_type"),
        "pnl": number(payload.get("pnl"), 0),
        "pnl_pct": number(payload.get("pnl_pct"), 0),
        "duration_minutes": payload.get("duration_minutes"),
    }


def _signal(payload: Body, event: Event) -> Made:
    confidence = payload.get("confidence", 1)
    return "signal.generated", {
        "strategy": payload.get("strategy", payload.get("strategy_id")),
        "symbol": payload.get("symbol"),
        "signal_value": confidence,
        "direction": payload.get("direction", word(payload.get("action"), DIRECTIONS)),
        "confidence": next((name for least, name in WORDS if confidence >= least), "low"),
    }


def _job(payload: Body, event: Event) -> Made | None:
    status = payload.get("status", "")
    if status not in JOBS:
        return None
    body = {
        "job_id": payload.get("id"),
        "job_type": payload.get("job_type"),
        "status": status,
        **given(result=payload.get("result"), error=payload.get("error")),
    }
    if status == "completed":  # its win rate is formatted without asking
        result = body.get("result", {})
        body["result"] = result if result.get("win_rate") is not None else {**result, "win_rate": 0}
    return JOBS[status], body


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


POSITION_MAKERS = {"OPENED": _entered, "CLOSED": _exited}

MAKERS: dict[str, Maker] = {
    "order": _order,
    "trade": _trade,
    "position": _position,
    "signal": _signal,
    "job": _job,
}


# ------------------------------------------------------------------ what is read


def _read_trade(body: Body) -> Made:
    return "trade", {**canonical(body), **given(side=_upper(body.get("side")))}


def _read_position(action: str, body: Body) -> Made:
    return "position", given(
        strategy=body.get("strategy"),
        symbol=body.get("symbol"),
        side=_upper(body.get("side")),
        action=action,
        quantity=text(body.get("quantity")),
        entry_price=text(body.get("entry_price")),
        stop_loss=text(body.get("stop_loss")),
        take_profit=text(body.get("take_profit")),
        exit_price=text(body.get("exit_price")),
        exit_type=body.get("exit_type"),
        pnl=text(body.get("pnl")),
        pnl_pct=text(body.get("pnl_pct")),
        duration_minutes=body.get("duration_minutes"),
    )


def _read_signal(body: Body) -> Made:
    direction = body.get("direction")
    return "signal", given(
        strategy=body.get("strategy"),
        symbol=body.get("symbol"),
        action=word(direction, ACTIONS),
        direction=direction,
        confidence=body.get("signal_value"),
    )


def _read_job(body: Body) -> Made:
    return "job", given(
        id=body.get("job_id"),
        job_type=body.get("job_type"),
        status=body.get("status"),
        result=body.get("result"),
        error=body.get("error"),
    )


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


READERS: dict[str, Reader] = {
    "order": lambda body: ("order", canonical(body)),
    "trade.executed": _read_trade,
    "trade.entered": lambda body: _read_position("OPENED", body),
    "trade.exited": lambda body: _read_position("CLOSED", body),
    "signal.generated": _read_signal,
    **dict.fromkeys(JOBS.values(), _read_job),
}
