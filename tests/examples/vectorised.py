"""The crossover, computed at once from columns: no engine, no broker, no events.

An average crosses at a bar's close; the order is filled at the next bar's open. Prices are whole
numbers of 10^-8, so that nothing is rounded.
"""

from __future__ import annotations

import csv
import gzip
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SCALE = 10**8

Prices = npt.NDArray[np.int64]


class Expected(NamedTuple):
    """As a report has it; equity is exact, in 10^-8."""

    signals: int
    total_trades: int
    win_rate: float
    total_return: float
    max_drawdown: float
    equity: Prices

    @property
    def final_equity(self) -> float:
        return float(Decimal(int(self.equity[-1])) / SCALE)


def scaled(column: list[str]) -> Prices:
    return np.array([int(Decimal(cell) * SCALE) for cell in column], np.int64)


def expected(
    opens: Prices,
    closes: Prices,
    *,
    fast: int = 10,
    slow: int = 30,
    units: int = 1,
    cash: int = 100_000,
    per_order: int = 0,
) -> Expected:
    """Of one symbol's bars."""
    sums = np.concatenate(([0], closes.cumsum()))
    count = len(closes)
    ends = np.arange(slow, count + 1)  # an average is there from the slow one's first bar on
    above = (sums[ends] - sums[ends - fast]) * slow > (sums[ends] - sums[ends - slow]) * fast
    crossed = np.flatnonzero(above[1:] != above[:-1]) + 1
    bars, buys = crossed + slow - 1, above[crossed]
    signals = len(bars)
    if signals and not buys[0]:  # nothing is held that could be sold
        bars, buys = bars[1:], buys[1:]
    filled = bars + 1 < count  # at the bar after it, where there is one
    bars, buys = bars[filled] + 1, buys[filled]
    change = np.zeros(count, np.int64)
    change[bars] = np.where(buys, units, -units)
    fees = np.zeros(count, np.int64)
    fees[bars] = per_order * SCALE
    money = cash * SCALE - np.cumsum(change * opens + fees)
    equity = money + change.cumsum() * closes
    curve = np.concatenate(([cash * SCALE], equity))
    peaks = np.maximum.accumulate(curve)
    sold, bought = opens[bars[1::2]], opens[bars[0::2]][: len(bars) // 2]
    profits = (sold - bought) * units - 2 * per_order * SCALE
    return Expected(
        signals,
        len(profits),
        float(np.mean(profits > 0)) if len(profits) else 0.0,
        float(Decimal(int(curve[-1])) / (cash * SCALE) - 1),
        float(((peaks - curve) / peaks).max()),
        equity,
    )


def read(path: Path) -> tuple[Prices, Prices]:
    """Opens and closes of a CSV file, gzipped or not."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        rows = list(csv.DictReader(file))
    return scaled([row["open"] for row in rows]), scaled([row["close"] for row in rows])


if __name__ == "__main__":  # python -m tests.examples.vectorised FILE
    found = expected(*read(Path(sys.argv[1])))
    print(found._replace(equity=found.equity[-1:]), found.final_equity)
