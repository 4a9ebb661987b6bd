from __future__ import annotations

from fastrouter.control.strategies.bot import figures

from .house import FakeDesk, held


async def test_the_accounts_figures():
    desk = FakeDesk("LIVE_TRADING")
    assert figures(desk.broker) == {
        "mode": "LIVE_TRADING",
        "total_balance": "100000",
        "total_pnl": "0",
        "total_pnl_percent": "0",
        "total_positions": 0,
    }
    await held(desk, "", "S:AAPL", "10", at=100)
    desk.broker.ledger.positions["S:AAPL"] = desk.broker.ledger.positions["S:AAPL"]._replace(
        mark=desk.decimal("110.5")
    )
    found = figures(desk.broker)
    assert (found["total_balance"], found["total_pnl"]) == ("100105", "105")
    assert (found["total_pnl_percent"], found["total_positions"]) == ("0.105", 1)
