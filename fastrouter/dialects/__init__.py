"""Envelope families by name. A new dialect is a module and one row (or an entry point)."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from fastrouter.errors import ConfigError

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect

__all__ = ["DIALECTS", "ENTRY_POINTS", "load", "names"]

#: name -> "module:attribute"
DIALECTS = {"trading-api": "fastrouter.dialects.trading_api:TradingApi"}

#: third parties register theirs here: name = "module:attribute"
ENTRY_POINTS = "fastrouter.dialects"


def _table() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | DIALECTS


def names() -> list[str]:
    """The names of all registered dialects."""
    return list(_table())


def load(name: str, **options: Any) -> Dialect:
    """Return a new dialect by its registered name.

    Raises ConfigError, naming the registered ones, when there is none of that name.
    """
    try:
        module, _, attribute = _table()[name].partition(":")
    except KeyError:
        raise ConfigError(
            f"dialect {name!r} is not registered; allowed: {', '.join(names())}"
        ) from None
    dialect: Dialect = getattr(import_module(module), attribute)(**options)
    return dialect
