"""What the suites encode and publish: quotes and candles as a market makes them."""

import numpy as np

from fastrouter.core.dtypes import Rows
from fastrouter.feeds.candles import CandleBuilder
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


def candles(count: int, symbols: int = SYMBOLS, seed: int = 1) -> Rows:
    """Closed candles of one second, built from quotes; volumes of four decimals."""
    rows = CandleBuilder(["1s"]).update(quotes(40 * count, symbols, seed))[:count].copy()
    volume = np.random.default_rng(seed).exponential(600.0, len(rows))
    rows["volume"] = np.round(volume, 4)
    return rows
