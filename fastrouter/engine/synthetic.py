"""A data set for who has none: a made-up market, the same each time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.dtypes import Rows
from ..feeds.market import Market, market_symbols
from .dataset import IGNORED, Description
from .merge import Stretch
from .track import EVERYTHING, BadRow, Block, Span, within

__all__ = ["NAME", "Synthetic"]

NAME = "synthetic"
SYMBOLS = 4
START = 1_735_828_200_000_000_000  # 2025-01-02T14:30:00Z
APART = 250_000_000  # ns
QUOTES = 14_400  # an hour
SEED = 1


class Synthetic:
    """An hour of four symbols, a quote each quarter of a second."""

    name = NAME

    def stretches(self, span: Span = EVERYTHING, on_bad: BadRow = IGNORED) -> Iterator[Stretch]:
        """As `Dataset.stretches`."""
        rows = _rows()
        block = within(Block(rows["time"].copy(), rows), span)
        if len(block.rows):
            yield Stretch(block.instants, None, (block.rows,))

    def describe(self) -> Description:
        """As `Dataset.describe`."""
        rows = _rows()
        symbols = tuple(sorted(market_symbols(SYMBOLS)))
        first, last = int(rows["time"][0]), int(rows["time"][-1])
        return Description(NAME, ("quotes",), symbols, first, last, len(rows), 0)


def _rows() -> Rows:
    market = Market(market_symbols(SYMBOLS), SEED)
    parts: list[Rows] = []
    left = QUOTES
    while left:
        parts.append(market.take(left).copy())
        left -= len(parts[-1])
    rows = np.concatenate(parts)
    rows["time"] = START + np.arange(QUOTES) * APART
    return rows
