"""What a broker asks about the market: which symbols there are, and their last prices."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, Protocol

from fastrouter.errors import OrderError
from fastrouter.models.fields import shown

from .matching import Bar, Quotation
from .money import price

__all__ = ["Last", "Market", "Prices"]


class Last(NamedTuple):
    """What a symbol could last be sold at (`bid`) and bought at (`ask`)."""

    bid: Decimal | None
    ask: Decimal | None


class Market(Protocol):
    """What the caller knows: the router's last quotes, or the data set's symbols."""

    def resolve(self, symbol: str) -> str:
        """The symbol with its asset-class prefix.

        Raises OrderError: UNKNOWN_SYMBOL, AMBIGUOUS_SYMBOL.
        """

    def last(self, symbol: str) -> Last | None:
        """Its last prices; None when there were none."""

    def quote(self, symbol: str) -> Quotation | None:
        """Its last quote; None when it had none, or a bar came after it.

        Asked for with `Rules.at_once` alone; of symbols in `Broker.books` the broker was told
        it before. Two that are equal are the same one.
        """

    def symbols(self) -> list[str]:
        """All that are known, sorted."""


class Prices:
    """A `Market` that is told every event. A bar's close is both its prices."""

    __slots__ = ("_last", "_names", "_quotes", "_symbols")

    def __init__(self, symbols: Iterable[str] = ()) -> None:
        self._last: dict[str, tuple[float, float]] = {}
        self._quotes: dict[str, Quotation] = {}
        self._symbols: set[str] = set()
        self._names: dict[str, list[str]] = {}
        for symbol in symbols:
            self.add(symbol)

    def add(self, symbol: str) -> None:
        """There is this symbol."""
        if symbol not in self._symbols:
            self._symbols.add(symbol)
            self._names.setdefault(_bare(symbol), []).append(symbol)

    def on_quote(self, quote: Quotation) -> None:
        if quote.symbol not in self._last:
            self.add(quote.symbol)
        self._last[quote.symbol] = (quote.bid, quote.ask)
        self._quotes[quote.symbol] = quote

    def on_bar(self, bar: Bar) -> None:
        if bar.symbol not in self._last:
            self.add(bar.symbol)
        self._last[bar.symbol] = (bar.close, bar.close)
        self._quotes.pop(bar.symbol, None)

    def resolve(self, symbol: str) -> str:
        """As it is, or by what follows its prefix; slashes (BTC/USD) do not count."""
        if symbol in self._symbols:
            return symbol
        plain = symbol.replace("/", "")
        if plain in self._symbols:
            return plain
        found = self._names.get(plain, [])
        if not found:
            raise OrderError(f"symbol {shown(symbol)} is not known", code="UNKNOWN_SYMBOL")
        if len(found) > 1:
            raise OrderError(
                f"symbol {shown(symbol)} is any of {', '.join(sorted(found))}",
                code="AMBIGUOUS_SYMBOL",
            )
        return found[0]

    def symbols(self) -> list[str]:
        return sorted(self._symbols)

    def last(self, symbol: str) -> Last | None:
        pair = self._last.get(symbol)
        return None if pair is None else Last(price(pair[0]), price(pair[1]))

    def quote(self, symbol: str) -> Quotation | None:
        return self._quotes.get(symbol)


def _bare(symbol: str) -> str:
    """``S:AAPL`` -> ``AAPL``"""
    return symbol.partition(":")[2] or symbol
