"""The events behind the documents' examples, as a publisher writes them."""

from __future__ import annotations

from typing import Any

from fastrouter import Candle, Quote

JOB = "550e8400-e29b-41d4-a716-446655440000"
BACKTEST = {"id": JOB, "job_type": "backtest"}

JOB_CREATED = {**BACKTEST, "status": "pending"}
JOB_STARTED = {**BACKTEST, "status": "running"}
JOB_COMPLETED = {
    **BACKTEST,
    "status": "completed",
    "result": {"total_trades": 15, "win_rate": 0.60, "total_return": 0.12},
}
JOB_FAILED = {**BACKTEST, "status": "failed", "error": "Insufficient data for backtest"}

POSITION_OPENED = {
    "id": "pos_1",
    "symbol": "BTCUSDT",
    "side": "LONG",
    "action": "OPENED",
    "quantity": "0.001",
    "entry_price": "42150.00",
    "take_profit": "42993.00",
    "stop_loss": "41728.50",
    "strategy": "wavelet_reversal",
}
POSITION_CLOSED = {
    **{name: POSITION_OPENED[name] for name in ("id", "symbol", "side", "quantity", "entry_price")},
    "action": "CLOSED",
    "exit_price": "42993.00",
    "exit_type": "take_profit",
    "pnl": "0.843",
    "pnl_pct": 2.0,
    "duration_minutes": 45,
}
POSITION_UPDATED = {
    "id": "pos_123456",
    "symbol": "BTCUSDT",
    "side": "LONG",
    "action": "UPDATED",
    "entry_price": 67000,
    "current_price": 67500.5,
    "quantity": 0.001,
    "leverage": 10,
    "unrealized_pnl": 0.5,
    "unrealized_pnl_percent": 0.75,
    "liquidation_price": 60300,
    "margin": 6.7,
    "stop_loss": 66000,
    "take_profit": 68000,
    "entry_time": 1697230000000,
}
SIGNAL = {
    "id": "signal_123",
    "strategy": "wavelet_reversal",
    "strategy_id": "strategy-123",
    "symbol": "BTCUSDT",
    "direction": "long",
    "confidence": 0.82,
    "price": 152.75,
    "quantity": 10,
    "timestamp": 1697234567000,
    "model_type": "GPT-4",
    "timeframe": "1h",
    "reasoning": "Strong bullish momentum",
    "strategy_scores": {"RSI Strategy": 0.85},
    "market_analysis": {"trend_direction": "Bullish"},
    "risk_assessment": {"overall_risk": "Medium"},
    "metadata": {"orderType": "MARKET"},
}
TRADE = {
    "id": "trade_123456",
    "order_id": "order-123",
    "strategy_id": "strategy-123",
    "strategy": "RSI Strategy",
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.001",
    "price": "67500.00",
    "executed_quantity": "0.001",
    "executed_price": "67500.00",
    "commission": "0.0675",
    "commission_asset": "USDT",
    "timestamp": 1697234567000,
    "signal_id": "signal_123",
}
ORDER = {
    "event": "ORDER_FILLED",
    "id": "order-123",
    "symbol": "S:AAPL",
    "side": "buy",
    "type": "MARKET",
    "qty": 10,
    "filled_qty": 10,
    "filled_avg_price": "152.75",
}
ACCOUNT = {
    "id": "paper",
    "total_balance": "10500.50",
    "total_pnl": "500.50",
    "total_pnl_percent": "5.005",
    "total_positions": 2,
    "uptime_seconds": 3600,
    "enabled_strategies": ["RSI Strategy", "MACD Strategy"],
    "last_signal_time": 1697234567000,
    "next_signal_time": 1697234867000,
}
STRATEGY_STARTED = {
    "event": "started",
    "strategy_id": "strategy-123",
    "name": "Moving Average Crossover",
    "symbols": ["AAPL", "MSFT"],
}
STRATEGY_STOPPED = {**STRATEGY_STARTED, "event": "stopped"}
STRATEGY_PAUSED = {**STRATEGY_STARTED, "event": "paused"}
SERVICE_STATUS = {"event": "service_status", "status": "RUNNING"}
STATUS_LIST = {
    "event": "status_list",
    "strategies": [
        {
            "id": "strategy-123",
            "name": "Moving Average Crossover",
            "status": "ACTIVE",
            "symbols": ["AAPL", "MSFT"],
            "positions": [
                {"symbol": "AAPL", "quantity": 10, "entryPrice": 150.25, "currentValue": 1550.50}
            ],
        }
    ],
}
RISK = {
    "rule": "maxPositionValue",
    "strategy_id": "strategy-123",
    "symbol": "S:AAPL",
    "limit": 10000,
    "value": 10500,
    "message": "position value above its limit",
}


def quote(symbol: str = "S:AAPL") -> Quote:
    return Quote(symbol, bid=150.25, ask=150.27, last=150.26, bid_size=100, ask_size=200)


def candle(symbol: str = "C:BTCUSD", **options: Any) -> Candle:
    """A closed one of a minute, of 2025-01-01T00:00:00Z."""
    prices = {"open": 46300.0, "high": 46400.0, "low": 46200.0, "close": 46319.5, "volume": 12.5}
    return Candle(symbol, **{**prices, "time": 1_735_689_600 * 10**9, **options})
