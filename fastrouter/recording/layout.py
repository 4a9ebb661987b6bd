"""What a row of a file says."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..core.event import Candle, Quote
from ..core.timeframe import TIMEFRAMES
from ..feeds.arrow import arrow

__all__ = ["CANDLES", "QUOTES", "Layout"]

Row = tuple[Any, ...]


class Layout(NamedTuple):
    """``name`` is also that of the file; ``texts`` of the columns are no numbers."""

    name: str
    columns: tuple[str, ...]
    texts: tuple[str, ...]

    def schema(self) -> Any:
        """For pyarrow."""
        pa = arrow()
        types = {"time": pa.timestamp("ns", "UTC"), **dict.fromkeys(self.texts, pa.string())}
        return pa.schema([(name, types.get(name, pa.float64())) for name in self.columns])


QUOTES = Layout(
    "quotes", ("time", "symbol", "bid", "ask", "last", "bid_size", "ask_size"), ("symbol",)
)
CANDLES = Layout(
    "candles",
    ("time", "symbol", "timeframe", "open", "high", "low", "close", "volume"),
    ("symbol", "timeframe"),
)


def quote_row(quote: Quote) -> tuple[int, Row]:
    """When it is known (ns), and its row."""
    sizes = quote.bid_size, quote.ask_size
    return quote.time, (quote.time, quote.symbol, quote.bid, quote.ask, quote.last, *sizes)


def candle_row(candle: Candle) -> tuple[int, Row]:
    """When it is known (ns), and its row."""
    prices = candle.open, candle.high, candle.low, candle.close
    known = candle.time + TIMEFRAMES[candle.timeframe]
    return known, (candle.time, candle.symbol, candle.timeframe, *prices, candle.volume)
