"""A market that does not exist: quotes by a seeded random walk.

Each symbol's mid is a log-normal walk that is pulled back gently to where it began, so
that it stays a price for ever. Bid and ask are whole ticks around it, a few ticks apart,
at times many. A price is an integer of ticks divided by a power of ten, which is the
double nearest to the decimal, so that it prints short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.dtypes import QUOTE_DTYPE, SYMBOL_SIZE, Rows
from ..errors import FeedError

__all__ = ["BLOCK", "Market", "market_symbols"]

BLOCK = 8192
"""Quotes generated at a time. Part of what a seed means, like the order of the draws."""

WIDEST = 64
"""Widest spread, in ticks."""

PULL = 1e-6
"""How much of its way from home a symbol's log price loses with each quote."""

FAMILIAR = {
    "S:AAPL": 190.0,
    "S:MSFT": 420.0,
    "S:GOOGL": 170.0,
    "C:BTCUSD": 60000.0,
    "C:ETHUSD": 3000.0,
    "C:EURUSD": 1.1,
}
"""The first symbols, and where their prices begin."""

CURRENCIES = frozenset(
    ["EUR", "USD", "JPY", "GBP", "CHF", "AUD", "NZD", "CAD", "SEK", "NOK", "DKK", "PLN", "MXN"]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of instrument trades. A tick is unit / scale, a lot is lot / lot_scale."""

    unit: float
    scale: float
    sigma: float  # of one quote's log return
    spread: float  # in ticks, of its tail
    lot: float
    lot_scale: float
    lots: float  # typical size


STOCK = Kind(unit=1, scale=100, sigma=5e-5, spread=2, lot=100, lot_scale=1, lots=3)
FX = Kind(unit=1, scale=1e5, sigma=2e-5, spread=6, lot=100_000, lot_scale=1, lots=5)
COIN_VALUE = 5000.0


def coin(price: float) -> Kind:
    """A coin: the dearer, the wider its tick and the smaller its fractions."""
    unit = 1.0 if price < 1000 else 5.0 if price < 10_000 else 50.0
    lots = max(1.0, COIN_VALUE / price * 1e4)
    return Kind(unit=unit, scale=100, sigma=5e-5, spread=3, lot=1, lot_scale=1e4, lots=lots)


def market_symbols(symbols: int | Sequence[str]) -> tuple[str, ...]:
    """The names of so many symbols, or those names, checked. Raises FeedError."""
    if isinstance(symbols, int):
        if symbols < 1:
            raise FeedError(f"a market needs at least one symbol, not {symbols}")
        made = max(0, symbols - len(FAMILIAR))
        return (*tuple(FAMILIAR)[:symbols], *(f"S:SYM{i:04}" for i in range(1, made + 1)))
    names = (symbols,) if isinstance(symbols, str) else tuple(symbols)
    if not names:
        raise FeedError("a market needs at least one symbol")
    if len(set(names)) != len(names):
        raise FeedError("the symbols of a market repeat")
    for name in names:
        if not name or len(name.encode()) > SYMBOL_SIZE:
            raise FeedError(f"symbol {name!r} must have 1 to {SYMBOL_SIZE} bytes")
    return names


def kind_of(symbol: str, price: float) -> Kind:
    if not symbol.startswith("C:"):
        return STOCK
    base, quote = symbol[2:5], symbol[5:]
    return FX if base in CURRENCIES and quote in CURRENCIES else coin(price)


def home_of(symbol: str, rng: np.random.Generator) -> float:
    """Where a symbol's price begins. Draws once for every symbol, known or not."""
    drawn = float(np.clip(rng.lognormal(4.0, 0.8), 5.0, 2000.0))
    if symbol in FAMILIAR:
        return FAMILIAR[symbol]
    if kind_of(symbol, drawn) is FX:
        return 130.0 if symbol.endswith("JPY") else 0.6 + drawn / 2000.0
    return drawn


class Market:
    """An endless sequence of quotes; the same seed and symbols give the same sequence."""

    def __init__(self, symbols: Sequence[str], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        homes = [home_of(symbol, self._rng) for symbol in symbols]
        kinds = [kind_of(symbol, home) for symbol, home in zip(symbols, homes, strict=True)]
        self._names = np.array([symbol.encode() for symbol in symbols], f"S{SYMBOL_SIZE}")
        self._home = np.log(homes)
        self._log = self._home.copy()
        self._unit = np.array([kind.unit for kind in kinds])
        self._scale = np.array([kind.scale for kind in kinds])
        self._sigma = np.array([kind.sigma for kind in kinds])
        self._spread = np.array([kind.spread for kind in kinds])
        self._lot = np.array([kind.lot for kind in kinds])
        self._lot_scale = np.array([kind.lot_scale for kind in kinds])
        self._lots = np.array([kind.lots for kind in kinds])
        self._introduced = 0
        self._block = np.empty(0, QUOTE_DTYPE)
        self._taken = 0

    def take(self, most: int) -> Rows:
        """The next quotes, at least one and at most ``most``; ``time`` is the caller's to set."""
        if self._taken == len(self._block):
            self._block = self._generate()
            self._taken = 0
        rows = self._block[self._taken : self._taken + most]
        self._taken += len(rows)
        return rows

    def _generate(self) -> Rows:
        rng = self._rng
        which = self._choose()
        unit, scale = self._unit[which], self._scale[which]
        tail = np.expm1(0.4 * rng.standard_exponential(BLOCK))  # Pareto, index 2.5
        spread = np.minimum(1.0 + np.floor(self._spread[which] * tail), WIDEST)
        bid = np.rint(self._walk(which) * scale / unit) - np.floor(spread / 2)
        np.maximum(bid, 1.0, out=bid)
        last = bid + np.floor(rng.random(BLOCK) * (spread + 1.0))
        rows = np.empty(BLOCK, QUOTE_DTYPE)
        rows["symbol"] = self._names[which]
        rows["time"] = 0
        rows["bid"] = bid * unit / scale
        rows["ask"] = (bid + spread) * unit / scale
        rows["last"] = last * unit / scale
        lot, lot_scale, lots = self._lot[which], self._lot_scale[which], self._lots[which]
        for name in ("bid_size", "ask_size"):
            count = 1.0 + np.floor(lots * rng.standard_exponential(BLOCK))
            rows[name] = count * lot / lot_scale
        return rows

    def _choose(self) -> npt.NDArray[np.int64]:
        """Which symbols tick: each once to begin with, then whichever."""
        count = len(self._names)
        which = self._rng.integers(0, count, BLOCK)
        new = min(count - self._introduced, BLOCK)
        which[:new] = np.arange(self._introduced, self._introduced + new)
        self._introduced += new
        return which

    def _walk(self, which: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The mid of each quote; a symbol's steps add up in the order of its quotes."""
        small = which.astype(np.uint16) if len(self._names) <= 1 << 16 else which
        order = np.argsort(small, kind="stable")
        grouped = which[order]
        path = np.cumsum(self._rng.standard_normal(BLOCK) * self._sigma[grouped])
        first = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
        symbols, length = grouped[first], np.diff(np.r_[first, BLOCK])
        before = np.r_[0.0, path[first[1:] - 1]]
        path += np.repeat(self._log[symbols] - before, length)
        end, home = path[first + length - 1], self._home[symbols]
        self._log[symbols] = home + np.clip((end - home) * (1.0 - PULL * length), -1.0, 1.0)
        mids = np.empty(BLOCK)
        mids[order] = np.exp(path)
        return mids
