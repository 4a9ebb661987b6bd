"""The router's market as a broker asks about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fastrouter.broker import Last, Prices
from fastrouter.broker.money import price
from fastrouter.core.event import Candle, Quote
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.core.watch import Watch
from fastrouter.errors import OrderError

__all__ = ["Bar", "LiveMarket"]

LIVE = 60_000_000_000  # ns after its end, within which a candle is of now


class LiveMarket:
    """A `fastrouter.broker.Market`: the symbols that had quotes or candles, and their last.

    Symbols of older orders can be asked for, too: who sends such an order again after a restart,
    before there is a quote, has its answer.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._names = Prices()  # to find them by other names
        self._ordered = Prices()  # where they are not among those
        self._known = 0
        self._symbols: list[str] = []

    def ordered(self, symbols: Iterable[str]) -> None:
        """There were orders of these."""
        for symbol in symbols:
            self._ordered.add(symbol)

    def resolve(self, symbol: str) -> str:
        """As it is, or by what follows its prefix; slashes (BTC/USD) do not count.

        Raises OrderError: UNKNOWN_SYMBOL, AMBIGUOUS_SYMBOL.
        """
        self._look()
        try:
            return self._names.resolve(symbol)
        except OrderError as error:
            if error.code != "UNKNOWN_SYMBOL":
                raise
            return self._ordered.resolve(symbol)

    def last(self, symbol: str) -> Last | None:
        """Its last prices; None when there were none."""
        pair = self._watch.last(symbol)
        return None if pair is None else Last(price(pair[0]), price(pair[1]))

    def quote(self, symbol: str) -> Quote | None:
        """Its last quote; None when there was none."""
        return self._watch.quote(symbol)

    def symbols(self) -> list[str]:
        """All of them, sorted."""
        self._look()
        return self._symbols[:]

    def _look(self) -> None:
        """Learn those that are new."""
        new, self._known = self._watch.names(self._known)
        if new:
            for symbol in new:
                self._names.add(symbol)
            self._symbols = sorted({*self._symbols, *new})


class Bar(NamedTuple):
    """A closed candle as it came in: `time` is when it began, by our clock."""

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool = True

    @classmethod
    def of(cls, candle: Candle, before: int, now: int) -> Bar:
        """`before` is when the one before it came, or the symbol was watched first.

        A candle of now says itself when it opened. One that an old file replays took place
        between the two: who orders in between could have seen some of it, and is not met.
        """
        live = abs(now - candle.time - TIMEFRAMES[candle.timeframe]) < LIVE
        opened = candle.time if live else before
        return cls(
            *(candle.symbol, opened),
            *(candle.open, candle.high, candle.low, candle.close, candle.volume),
        )
