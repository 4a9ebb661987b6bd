"""HELLO against the backtest engine: its client acknowledges each message, and time moves."""

from __future__ import annotations

from pathlib import Path

from tests.backtests import backtests
from tests.seeds.program import Program, client

QUOTES = """time,symbol,bid,ask
2025-01-01T00:00:00Z,S:AAPL,150.25,150.27
2025-01-01T00:00:00Z,S:MSFT,420,420.5
2025-01-01T00:01:30Z,S:AAPL,150.5,150.75
"""
BARS = """time,symbol,timeframe,open,high,low,close,volume
2025-01-01T00:00:00Z,C:BTCUSD,1m,46300,46400,46200,46319.5,5
"""
PRINTED = [
    "Connected to Trading API",
    "Received event: connection",
    *("Received event: quote", " S:AAPL - Bid: 150.25 Ask: 150.27"),
    *("Received event: quote", " S:MSFT - Bid: 420 Ask: 420.5"),
    *("Received event: candle", " C:BTCUSD - Close: 46319.5"),
    *("Received event: quote", " S:AAPL - Bid: 150.5 Ask: 150.75"),
    "Received event: connection",
]


async def test_python(tmp_path: Path):
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "quotes.csv").write_text(QUOTES)
    (folder / "bars.csv").write_text(BARS)
    async with backtests(tmp_path) as (server, engine):
        async with Program.python(client("hello.py", {8082: server.port})) as program:
            assert await program.lines(len(PRINTED)) == PRINTED
            await program.until("ConnectionClosedOK")
        assert engine.runs == {}
        assert not server.rejections
