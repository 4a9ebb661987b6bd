"""What a strategy is started with: what is configured, and what the start itself says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastrouter.broker.market import Market
from fastrouter.control.strategies.spec import Spec
from fastrouter.errors import OrderError

__all__ = ["merged", "resolved"]


def merged(spec: Spec, given: Mapping[str, Any], market: Market) -> dict[str, Any]:
    """ORCH's ``config``, whole; what was given wins."""
    symbols = given.get("symbols") or list(_found(spec.symbols, market))
    return {"realTrading": False, **spec.config, **given, "symbols": symbols}


def resolved(given: Mapping[str, Any], market: Market) -> dict[str, Any]:
    """The same, its symbols as they are called here.

    One with a prefix may be of a market that has yet to say a word. Raises OrderError:
    UNKNOWN_SYMBOL, AMBIGUOUS_SYMBOL.
    """
    if "symbols" not in given:
        return dict(given)
    symbols = [s if ":" in s else market.resolve(s) for s in given["symbols"]]
    return {**given, "symbols": list(dict.fromkeys(symbols))}


def _found(symbols: Iterable[str], market: Market) -> Iterable[str]:
    for symbol in symbols:
        try:
            yield market.resolve(symbol)
        except OrderError:
            yield symbol
