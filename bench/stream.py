"""What the suites encode and publish: quotes and candles as a market makes them."""

import numpy as np

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE, Rows
from fastrouter.core.event import Candle
from fastrouter.core.record import Record, Recorder
from fastrouter.core.router import Router
from fastrouter.feeds.market import Market, market_symbols

SYMBOLS = 200
START = 1_735_689_600 * 10**9
"""2025-01-01T00:00:00Z, ns since the epoch."""

STEP = 200_000
"""ns between two quotes: 5,000 a second."""


def quotes(count: int, symbols: int = SYMBOLS, seed: int = 1) -> Rows:
    """Prices that walk on their ticks and sizes that change, of symbols in random order."""
    market = Market(market_symbols(symbols), seed)
    parts = []
    while count:
        parts.append(market.take(count))
        count -= len(parts[-1])
    rows = np.concatenate(parts)
    jitter = np.random.default_rng(seed).integers(0, STEP, len(rows))
    rows["time"] = START + np.arange(len(rows)) * STEP + jitter
    return rows


class Closed(Recorder):
    """Keeps closed candles."""

    def __init__(self) -> None:
        self.candles: list[Candle] = []

    def record(self, record: Record) -> None:
        candle = record.payload
        assert isinstance(candle, Candle)
        self.candles.append(candle)


def candles(count: int, symbols: int = SYMBOLS, seed: int = 1) -> Rows:
    """Closed candles of one second, built from quotes; volumes of four decimals."""
    closed = Closed()
    router = Router(clock=Clock(START), candles=("1s",), recorder=closed)
    router.publish_batch(quotes(40 * count, symbols, seed))
    found = closed.candles[:count]
    rows = np.zeros(len(found), CANDLE_DTYPE)
    rows["symbol"] = [candle.symbol.encode() for candle in found]
    rows["timeframe"], rows["closed"] = "1s", True
    for name in ("time", "open", "high", "low", "close"):
        rows[name] = [getattr(candle, name) for candle in found]
    volume = np.random.default_rng(seed).exponential(600.0, len(rows))
    rows["volume"] = np.round(volume, 4)
    return rows
