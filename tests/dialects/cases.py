"""Events and session messages, and the golden file that each is in a dialect.

A golden file is what we send, as one line. Beside it may lie a seed, ``<name>.seed.json``:
the example of the documents that the dialects come from, as it is printed there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from fastrouter.core.event import Event
from fastrouter.core.kinds import topic_symbol
from fastrouter.core.leaves import parse_iso8601
from fastrouter.models import MODELS, validate

GOLDEN = Path(__file__).parents[1] / "golden"
ID = 7  # of every event

ORCH = "2023-07-10T12:34:56Z"
CORE = 1697234567000
JOB = "550e8400-e29b-41d4-a716-446655440000"
AVERAGE = {"strategy_id": "strategy-123", "name": "Moving Average Crossover"}


class Case(NamedTuple):
    """One message: of an event when `kind` has a model, else of a session."""

    dialect: str
    name: str
    kind: str
    body: Any
    time: str | int  # ISO-8601, or Unix ms
    options: dict[str, str] = {}  # noqa: RUF012 -- nobody changes it

    @property
    def is_event(self) -> bool:
        return self.kind in MODELS

    @property
    def path(self) -> Path:
        return GOLDEN / self.dialect / f"{self.name}.json"

    @property
    def seed(self) -> Path:
        return self.path.with_suffix(".seed.json")

    @property
    def ns(self) -> int:
        return parse_iso8601(self.time) if isinstance(self.time, str) else self.time * 1_000_000

    @property
    def event(self) -> Event:
        payload = validate(self.kind, self.body)
        symbol = topic_symbol(self.kind, payload)
        return Event(self.kind, payload, symbol=symbol, time=self.ns, id=ID)


SIGNAL = {
    "id": "sig_123456789",
    "strategy_id": "strategy-123",
    "strategy": "Moving Average Crossover",
    "symbol": "AAPL",
    "action": "BUY",
    "price": 152.75,
    "quantity": 10,
    "confidence": 0.9,
    "timestamp": ORCH,
    "metadata": {"orderType": "MARKET"},
}
TRADE = {
    "id": "trade_123456789",
    "order_id": "order-123",
    "strategy_id": "strategy-123",
    "symbol": "AAPL",
    "side": "BUY",
    "executed_quantity": 10,
    "executed_price": 152.75,
    "status": "FILLED",
    "entry_time": ORCH,
    "timestamp": ORCH,
}
HOLDING = {"symbol": "AAPL", "quantity": 10, "entryPrice": 150.25, "currentValue": 1550.50}
RUNNING = {
    "id": "strategy-123",
    "name": "Moving Average Crossover",
    "status": "ACTIVE",
    "symbols": ["AAPL", "MSFT"],
    "positions": [HOLDING],
}
ORDER = {
    "event": "ORDER_FILLED",
    "id": "o-1",
    "client_order_id": "c-1",
    "account_id": "main",
    "symbol": "S:AAPL",
    "side": "BUY",
    "type": "LIMIT",
    "time_in_force": "day",
    "qty": "10.5",
    "filled_qty": 10.5,
    "filled_avg_price": 150.25,
    "limit_price": 150.3,
    "status": "filled",
    "created_at": "2025-01-01T00:00:00Z",
    "updated_at": "2025-01-01T00:00:00.25Z",
    "metadata": {"note": 'Ü "1"'},
}
DGBIT_ENTERED = {
    "id": "p-1",
    "strategy": "wavelet_reversal",
    "symbol": "BTCUSDT",
    "side": "LONG",
    "action": "OPENED",
    "quantity": 0.001,
    "entry_price": 42150.00,
    "take_profit": 42993.00,
    "stop_loss": 41728.50,
}
DGBIT_EXITED = {
    "id": "p-1",
    "symbol": "BTCUSDT",
    "side": "LONG",
    "action": "CLOSED",
    "quantity": 0.001,
    "entry_price": 42150.00,
    "exit_price": 42993.00,
    "exit_type": "take_profit",
    "entry_time": "2024-01-15T10:30:00Z",
    "exit_time": "2024-01-15T11:15:00Z",
}
CORE_POSITION = {
    "id": "pos_123456",
    "symbol": "BTCUSDT",
    "side": "LONG",
    "action": "OPENED",
    "quantity": 0.001,
    "entry_price": 67000.00,
    "current_price": 67500.50,
    "leverage": 10,
    "unrealized_pnl": 0.50,
    "unrealized_pnl_percent": 0.75,
    "liquidation_price": 60300.00,
    "margin": 6.70,
    "stop_loss": 66000.00,
    "take_profit": 68000.00,
    "entry_time": 1697230000000,
}
CORE_TRADE = {
    "id": "trade_123456",
    "order_id": "binance_order_789",
    "strategy": "RSI Strategy",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": 0.001,
    "price": 67500.00,
    "executed_quantity": 0.001,
    "executed_price": 67500.00,
    "commission": 0.0675,
    "commission_asset": "USDT",
    "status": "FILLED",
    "timestamp": CORE,
    "signal_id": "signal_123",
}
CORE_SIGNAL = {
    "id": "signal_123",
    "symbol": "BTCUSDT",
    "direction": "long",
    "confidence": 0.82,
    "timestamp": CORE,
    "timeframe": "1h",
    "model_type": "GPT-4",
    "reasoning": "Strong bullish momentum with RSI oversold (28), MACD crossover, "
    "and positive GPT-4 sentiment analysis",
    "strategy_scores": {
        "RSI Strategy": 0.85,
        "MACD Strategy": 0.78,
        "Bollinger Bands Strategy": 0.65,
        "Volume Strategy": 0.72,
    },
    "market_analysis": {
        "trend_direction": "Bullish",
        "trend_strength": 0.82,
        "volatility_level": "Medium",
    },
    "risk_assessment": {
        "overall_risk": "Medium",
        "recommended_position_size": 0.05,
        "stop_loss_suggestion": 66000.00,
        "take_profit_suggestion": 68500.00,
    },
}
CORE_ACCOUNT = {
    "id": "main",
    "status": "RUNNING",
    "mode": "PAPER_TRADING",
    "total_balance": 10500.50,
    "total_pnl": 500.50,
    "total_pnl_percent": 5.005,
    "total_positions": 2,
    "uptime_seconds": 3600,
    "enabled_strategies": ["RSI Strategy", "MACD Strategy", "Bollinger Bands Strategy"],
    "last_signal_time": 1697234567000,
    "next_signal_time": 1697234867000,
}
RISK = {
    "rule": "maxPositionValue",
    "strategy_id": "strategy-123",
    "symbol": "AAPL",
    "limit": 10000,
    "value": 10500.5,
    "message": "position of AAPL is worth 10500.5; allowed: 10000",
    "severity": "ERROR",
    "details": {"order_id": "o-1"},
}
RISK_OFF = {
    "event": "status",
    "rule": "killSwitch",
    "account_id": "default",
    "limit": "1",
    "value": "0",
    "message": "the kill switch is off",
    "severity": "INFO",
    "recoverable": True,
}
CORE_ERROR = {
    "code": "TRADE_EXECUTION_FAILED",
    "message": "Insufficient balance for trade execution",
    "details": {"required_balance": 100, "available_balance": 50, "symbol": "BTCUSDT"},
}
INVALID_ORDER = {"code": "INVALID_ORDER", "message": "Insufficient buying power"}
WELCOME = {"session_id": "ses_1", "last_id": "evt_41"}
LIMITED = {
    "message": "80 of 100 messages in 60 s; more than that closes the session",
    "used": 80,
    "limit": 100,
    "window_seconds": 60,
}
HELD = {"subscriptions": ["S:AAPL:quote", "*:order"]}
NEW_YEAR = "2025-01-01T00:00:00Z"


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": JOB, "job_type": "backtest", "status": status, **more}


RESULT = {"total_trades": 15, "win_rate": 0.60, "total_return": 0.12}
NO_DATA = "Insufficient data for backtest"

TRADING_API = [
    ("order", "order", ORDER, NEW_YEAR),
    ("trade", "trade", TRADE, ORCH),
    ("position", "position", CORE_POSITION, CORE),
    ("account", "account", CORE_ACCOUNT, CORE),
    ("signal", "signal", SIGNAL, ORCH),
    ("ping", "ping", {}, NEW_YEAR),
    ("error", "error", INVALID_ORDER, NEW_YEAR),
    ("welcome", "welcome", WELCOME, NEW_YEAR),
    ("draining", "connection", {"event": "DISCONNECTING", "session_id": "ses_1"}, NEW_YEAR),
    ("rate_limit", "rate_limit", LIMITED, NEW_YEAR),
    ("subscribed", "subscribed", HELD, NEW_YEAR),
    ("strategy_status_list", "strategy_status_list", [RUNNING], ORCH),
]

ORCHESTRATOR = [
    (
        "strategy_status_list",
        "strategy",
        {"event": "status_list", "strategies": [RUNNING]},
        ORCH,
    ),
    (
        "strategy_started",
        "strategy",
        {"event": "started", **AVERAGE, "symbols": ["AAPL", "MSFT"]},
        ORCH,
    ),
    ("strategy_stopped", "strategy", {"event": "stopped", **AVERAGE}, ORCH),
    ("strategy_paused", "strategy", {"event": "paused", **AVERAGE}, ORCH),
    ("strategy_crashed", "strategy", {"event": "stopped", **AVERAGE, "reason": "exit 1"}, ORCH),
    ("strategy_signal", "signal", SIGNAL, ORCH),
    ("strategy_trade", "trade", TRADE, ORCH),
    (
        "execution_service_status",
        "strategy",
        {"event": "service_status", "status": "RUNNING"},
        ORCH,
    ),
    ("order", "order", ORDER, NEW_YEAR),
    ("position", "position", DGBIT_EXITED, "2024-01-15T11:15:00.5Z"),
    ("account", "account", CORE_ACCOUNT, CORE),
    ("risk_limit_breached", "risk", RISK, ORCH),
    ("risk_status", "risk", {"event": "status", "rule": "maxOrdersPerMinute", "value": 3}, ORCH),
    ("risk_off", "risk", RISK_OFF, ORCH),
    ("answer", "strategy_status_list", [], ORCH),
    ("welcome", "welcome", WELCOME, ORCH),
    ("draining", "connection", {"event": "DISCONNECTING", "session_id": "ses_1"}, ORCH),
    ("error", "error", INVALID_ORDER, ORCH),
    ("rate_limit", "rate_limit", LIMITED, ORCH),
    ("ping", "ping", {}, ORCH),
    ("subscribed", "subscribed", HELD, ORCH),
]

DGBIT = [
    ("job.created", "job", job("pending"), "2024-01-15T10:30:00Z"),
    ("job.started", "job", job("running"), "2024-01-15T10:30:01Z"),
    ("job.completed", "job", job("completed", result=RESULT), "2024-01-15T10:30:45Z"),
    ("job.failed", "job", job("failed", error=NO_DATA), "2024-01-15T10:30:45Z"),
    ("trade.entered", "position", DGBIT_ENTERED, "2024-01-15T10:30:00Z"),
    ("trade.exited", "position", DGBIT_EXITED, "2024-01-15T11:15:00Z"),
    (
        "signal.generated",
        "signal",
        {
            "id": "s-1",
            "strategy": "wavelet_reversal",
            "symbol": "BTCUSDT",
            "direction": "long",
            "confidence": 0.82,
        },
        "2024-01-15T10:30:00Z",
    ),
    ("trade.executed", "trade", CORE_TRADE, CORE),
    ("order", "order", ORDER, NEW_YEAR),
    (
        "job-welcome",
        "welcome",
        {**WELCOME, "job_uuid": JOB, "message": f"Subscribed to job {JOB}"},
        NEW_YEAR,
    ),
    ("echo", "echo", {"received": {"type": "hello"}}, NEW_YEAR),
    ("ack", "ack", {"job_uuid": JOB}, NEW_YEAR),
    ("welcome", "welcome", WELCOME, NEW_YEAR),
    ("draining", "connection", {"event": "DISCONNECTING", "session_id": "ses_1"}, NEW_YEAR),
    ("error", "error", INVALID_ORDER, NEW_YEAR),
    ("rate_limit", "rate_limit", LIMITED, NEW_YEAR),
    ("subscribed", "subscribed", HELD, NEW_YEAR),
]

CORE_BOTH = [
    ("AISignalReceived", "signal", CORE_SIGNAL, CORE),
    ("risk", "risk", RISK, CORE),
    ("risk_off", "risk", RISK_OFF, CORE),
    ("Error", "error", CORE_ERROR, CORE),
    ("Pong", "pong", {}, CORE),
    ("rate_limit", "rate_limit", LIMITED, CORE),
    ("subscribed", "subscribed", HELD, CORE),
]

BOTCORE = [
    ("Connected", "welcome", {"session_id": "client_123456"}, CORE),
    ("welcome", "welcome", WELCOME, CORE),
    ("draining", "connection", {"event": "DISCONNECTING", "session_id": "ses_1"}, CORE),
    ("PositionUpdate", "position", CORE_POSITION, CORE),
    ("closed", "position", {**CORE_POSITION, **DGBIT_EXITED}, CORE),
    ("TradeExecuted", "trade", CORE_TRADE, CORE),
    ("BotStatusUpdate", "account", CORE_ACCOUNT, CORE),
    *CORE_BOTH,
]

BOTCORE_AI = [
    ("connection", "welcome", WELCOME, "2025-10-10T10:30:00Z"),
    ("draining", "connection", {"event": "DISCONNECTING"}, "2025-10-10T10:30:00Z"),
    *CORE_BOTH,
]

TABLES = {
    "trading-api": TRADING_API,
    "orchestrator": ORCHESTRATOR,
    "dgbit": DGBIT,
    "botcore": BOTCORE,
    "botcore-ai": BOTCORE_AI,
}

NUMBERS = {"decimals": "number"}

CASES = [
    *(Case(dialect, *row) for dialect, rows in TABLES.items() for row in rows),
    *(
        Case("trading-api", f"{name}.number", kind, body, time, NUMBERS)
        for name, kind, body, time in TRADING_API
        if kind in MODELS
    ),
]
