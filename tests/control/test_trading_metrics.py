"""A scrape of a desk with orders, beside strategies and jobs."""

from __future__ import annotations

from types import SimpleNamespace

from prometheus_client import CollectorRegistry, generate_latest

from fastrouter.control.strategies.strategy import Status
from fastrouter.control.tally import Tally
from fastrouter.control.trading_metrics import TradingMetrics

from .memory import MemoryDesk

ORDER = {"symbol": "S:AAPL", "side": "buy", "qty": "2", "type": "limit", "time_in_force": "gtc"}


def strategy(name: str, status: Status, restarts: int) -> SimpleNamespace:
    return SimpleNamespace(
        spec=SimpleNamespace(id=name), status=status, record=SimpleNamespace(restarts=restarts)
    )


STRATEGIES = [
    strategy("a", Status.ACTIVE, 0),
    strategy("b", Status.ACTIVE, 2),
    strategy("c", Status.FAILED, 5),
]
JOBS = SimpleNamespace(counts={"pending": 3, "running": 1})


def scrape(desk: MemoryDesk, tally: Tally) -> set[str]:
    """Every line of it but for its comments, without our prefix."""
    registry = CollectorRegistry()
    registry.register(TradingMetrics(desk, tally, STRATEGIES, JOBS))
    lines = generate_latest(registry).decode().splitlines()
    assert all(line.startswith(("#", "fastrouter_")) for line in lines)
    return {line.removeprefix("fastrouter_") for line in lines if not line.startswith("#")}


async def test_what_trades_is_told():
    desk, tally = MemoryDesk(), Tally()
    for price in ("90", "101"):
        order = ORDER | {"limit_price": price}
        await desk.change(lambda broker, now, order=order: broker.submit(order, now))
    desk.quote("S:AAPL", 99, 100)
    for kind, payload in desk.events:
        tally.announced(kind, payload)
    tally.answered(1_500)
    told = scrape(desk, tally)
    assert told >= {
        'orders_total{event="accepted"} 2.0',
        'orders_total{event="filled"} 1.0',
        'order_change_seconds_bucket{le="1e-06"} 1.0',
        "order_change_seconds_count 1.0",
        "order_change_seconds_sum 1e-06",
        "open_orders 1.0",
        "positions 1.0",
        "cash 99800.0",
        "equity 99998.0",
        "killed 0.0",
        'strategies{status="ACTIVE"} 2.0',
        'strategies{status="FAILED"} 1.0',
        'strategy_restarts{strategy="b"} 2.0',
        'jobs{status="pending"} 3.0',
        'jobs{status="running"} 1.0',
    }


async def test_the_kill_switch_is_told():
    desk, tally = MemoryDesk(), Tally()
    await desk.change(lambda broker, now: broker.kill(now))
    for kind, payload in desk.events:
        tally.announced(kind, payload)
    told = scrape(desk, tally)
    assert told >= {"killed 1.0", 'risk_breaches_total{rule="killSwitch"} 1.0'}
