"""What a symbol is called where there are no prefixes: its name, its class, its id.

``S:AAPL`` is the equity AAPL, ``C:BTCUSD`` the crypto pair BTCUSD. The words are
those of Alpaca's API.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

__all__ = ["Asset", "account_uuid", "asset_of"]

#: prefix -> class and exchange; others are equities of no exchange that is known
CLASSES = {"C": ("crypto", "CRYPTO"), "O": ("us_option", "")}
EQUITY = ("us_equity", "")


class Asset(NamedTuple):
    """A symbol in those words."""

    id: str  # a UUID, always the same of the same symbol
    name: str  # the symbol without its prefix
    asset_class: str
    exchange: str


@lru_cache(maxsize=65536)
def asset_of(symbol: str) -> Asset:
    """The symbol's asset."""
    prefix, colon, name = symbol.partition(":")
    if not colon or not name:
        prefix, name = "", symbol
    asset_id = str(uuid5(NAMESPACE_URL, f"fastrouter:asset:{symbol}"))
    return Asset(asset_id, name, *CLASSES.get(prefix, EQUITY))


@lru_cache(maxsize=1024)
def account_uuid(account_id: str) -> str:
    """A UUID for an account, always the same; Alpaca's clients want one."""
    return str(uuid5(NAMESPACE_URL, f"fastrouter:account:{account_id}"))
