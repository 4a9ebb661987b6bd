"""Symbols as clients write them, and as they read them."""

from __future__ import annotations

from uuid import UUID

from fastrouter.broker import Broker, Market
from fastrouter.core.asset import asset_of
from fastrouter.errors import OrderError

__all__ = ["shown_symbol", "symbol_of", "wanted_symbol"]


def wanted_symbol(market: Market, written: str) -> str:
    """What the broker may be asked for: an asset's id becomes its symbol, the rest stays."""
    asset_id = _uuid(written)
    if asset_id is None:
        return written
    return next((one for one in market.symbols() if asset_of(one).id == asset_id), written)


def symbol_of(market: Market, written: str) -> str:
    """The routed symbol of what a path names. Raises OrderError, code ASSET_NOT_FOUND."""
    try:
        return market.resolve(wanted_symbol(market, written))
    except OrderError as error:
        if error.code == "UNKNOWN_SYMBOL":
            raise OrderError(str(error), code="ASSET_NOT_FOUND") from None
        raise


def shown_symbol(broker: Broker, symbol: str) -> str:
    """Without its prefix, unless another has the same name."""
    name = asset_of(symbol).name
    try:
        return name if broker.market.resolve(name) == symbol else symbol
    except OrderError:
        return symbol


def _uuid(text: str) -> str | None:
    if len(text) not in (32, 36):
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None
