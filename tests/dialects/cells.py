"""Which event appears as what: the wire contract's table, an event for each cell."""

from __future__ import annotations

from typing import Any

from fastrouter.core.event import Candle, Quote

from .cases import CORE_ACCOUNT, CORE_POSITION, ORDER, RISK, RUNNING, SIGNAL, TRADE
from .cases import job as job_of

START = 1_735_689_600_000_000_000
BAR: dict[str, Any] = {"open": 1, "high": 2, "low": 0.5, "close": 1.5, "time": START}
POSITION = {key: CORE_POSITION[key] for key in ("id", "symbol", "side", "quantity", "entry_price")}

Row = tuple[str | None, str | None, str | None, str | None, str | None]


def order(event: str) -> tuple[str, Any]:
    return "order", {**ORDER, "event": event}


def strategy(event: str, **more: Any) -> tuple[str, Any]:
    return "strategy", {"event": event, "strategy_id": "strategy-123", **more}


def job(status: str) -> tuple[str, Any]:
    return "job", job_of(status)


def position(action: str, **more: Any) -> tuple[str, Any]:
    return "position", {**POSITION, "action": action, **more}


#: event, then its type in trading-api, orchestrator, dgbit, botcore, botcore-ai
CELLS: list[tuple[Any, Row]] = [
    ((Quote("S:A", bid=1, ask=2),), ("quote", "quote", "quote", "MarketData", None)),
    ((Candle("S:A", **BAR),), ("candle", "candle", "candle", "ChartUpdate", None)),
    ((Candle("S:A", **BAR, closed=False),), ("candle", "candle", "candle", None, None)),
    ((Candle("S:A", **BAR, timeframe="1s"),), ("candle", "candle", "candle", None, None)),
    *(
        (order(event), ("order", "order", "order", None, None))
        for event in (
            *("ORDER_ACCEPTED", "ORDER_FILLED", "ORDER_PARTIALLY_FILLED"),
            *("ORDER_CANCELED", "ORDER_REJECTED", "ORDER_REPLACED", "ORDER_EXPIRED"),
        )
    ),
    (("trade", TRADE), ("trade", "strategy_trade", "trade.executed", "TradeExecuted", None)),
    (
        position("OPENED"),
        ("position", "position", "trade.entered", "PositionUpdate", None),
    ),
    (position("UPDATED"), ("position", "position", None, "PositionUpdate", None)),
    (
        position("CLOSED", exit_price=1),
        ("position", "position", "trade.exited", "PositionUpdate", None),
    ),
    (("account", CORE_ACCOUNT), ("account", "account", None, "BotStatusUpdate", None)),
    (
        ("signal", SIGNAL),
        ("signal", "strategy_signal", "signal.generated", "AISignalReceived", "AISignalReceived"),
    ),
    (strategy("started"), (None, "strategy_started", None, "BotStatusUpdate", None)),
    (strategy("stopped"), (None, "strategy_stopped", None, "BotStatusUpdate", None)),
    (strategy("paused"), (None, "strategy_paused", None, "BotStatusUpdate", None)),
    (
        strategy("status_list", strategies=[RUNNING]),
        (None, "strategy_status_list", None, "BotStatusUpdate", None),
    ),
    (
        strategy("service_status", status="STOPPED"),
        (None, "execution_service_status", None, "BotStatusUpdate", None),
    ),
    (job("pending"), (None, None, "job.created", None, None)),
    (job("running"), (None, None, "job.started", None, None)),
    (job("completed"), (None, None, "job.completed", None, None)),
    (job("failed"), (None, None, "job.failed", None, None)),
    (("risk", RISK), (None, "risk_limit_breached", None, "Error", "Error")),
    (("risk", {**RISK, "event": "status"}), (None, "risk_status", None, "Error", "Error")),
]
