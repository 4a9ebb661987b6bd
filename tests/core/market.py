"""Ticks to make candles of, and what a group-by that knows nothing of ours makes of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE, Rows
from fastrouter.core.record import Record, Recorder
from fastrouter.core.timeframe import TIMEFRAMES

from .peer import SECOND

FIELDS = ("open", "high", "low", "close", "volume")
ALL = ("1s", "1m", "5m", "15m", "1h", "4h", "1d")


def quotes(*rows: tuple[str, float, float]) -> Rows:
    """Quotes of (symbol, seconds since the epoch, last)."""
    out = np.zeros(len(rows), QUOTE_DTYPE)
    for row, (symbol, seconds, last) in zip(out, rows, strict=True):
        row["symbol"], row["time"], row["last"] = symbol, round(seconds * SECOND), last
    return out


def ticks(rng, count, symbols=7, start=1_700_000_000 * SECOND, gap=SECOND) -> Rows:
    """Quotes in the order of time, `gap` ns at most between two; one name has 32 bytes."""
    out = np.zeros(count, QUOTE_DTYPE)
    names = np.array([f"S:SYM{i:04}" for i in range(symbols - 1)] + ["C:" + "X" * 30], "S32")
    out["symbol"] = names[rng.integers(0, symbols, count)]
    out["time"] = start + np.cumsum(rng.integers(0, gap, count))
    out["last"] = rng.lognormal(3, 1, count).round(2)
    out["bid"], out["ask"] = out["last"] - 0.5, out["last"] + 1
    return out


def grouped(rows, timeframe, volumes=None, price=None):
    """(symbol, open time) -> (open, high, low, close, volume), by pyarrow."""
    table = pa.table(
        {
            "symbol": pa.array(rows["symbol"].tolist()),
            "time": rows["time"] // TIMEFRAMES[timeframe] * TIMEFRAMES[timeframe],
            "price": rows["last"] if price is None else price,
            "volume": np.ones(len(rows)) if volumes is None else volumes,
        }
    )
    columns = [("price", "first"), ("price", "max"), ("price", "min"), ("price", "last")]
    found = table.group_by(["symbol", "time"], use_threads=False).aggregate(
        [*columns, ("volume", "sum")]
    )
    names = ["symbol", "time", "price_first", "price_max", "price_min", "price_last", "volume_sum"]
    return {row[:2]: row[2:] for row in zip(*(found[n].to_pylist() for n in names), strict=True)}


def as_groups(candles, timeframe):
    """The same of candles that were published; none comes twice."""
    rows = candles[candles["timeframe"] == timeframe.encode()]
    found = {row[:2]: row[2:] for row in rows[["symbol", "time", *FIELDS]].tolist()}
    assert len(found) == len(rows), "a candle came twice"
    return found


class Closed(Recorder):
    """Keeps the closed candles of a router as rows, in their order."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)

    @property
    def rows(self) -> Rows:
        out = np.zeros(len(self.records), CANDLE_DTYPE)
        for row, record in zip(out, self.records, strict=True):
            candle = record.payload
            row["symbol"], row["timeframe"] = candle.symbol.encode(), candle.timeframe.encode()
            row["time"], row["closed"] = candle.time, candle.closed
            for name in FIELDS:
                row[name] = getattr(candle, name)
        return out
