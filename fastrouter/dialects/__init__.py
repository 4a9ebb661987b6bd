"""Envelope families by name. A new dialect is a module and one row (or an entry point)."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from fastrouter.errors import ConfigError

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect

__all__ = ["DIALECTS", "ENTRY_POINTS", "Shelf", "load", "names"]

#: name -> "module:attribute"
DIALECTS = {
    "trading-api": "fastrouter.dialects.trading_api:TradingApi",
    "orchestrator": "fastrouter.dialects.orchestrator:Orchestrator",
    "dgbit": "fastrouter.dialects.dgbit:Dgbit",
    "botcore": "fastrouter.dialects.botcore:Botcore",
    "botcore-ai": "fastrouter.dialects.botcore_ai:BotcoreAi",
    "alpaca": "fastrouter.dialects.alpaca:Alpaca",
}

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


class Shelf:
    """Dialects, each loaded once: who speaks the same shares what it encodes."""

    def __init__(self) -> None:
        self._dialects: dict[tuple[str, str], Dialect] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all that are registered."""
        return tuple(names())

    def get(self, name: str, decimals: str = "string") -> Dialect:
        """The dialect of that name, ``decimals`` as ``load`` takes it. Raises ConfigError."""
        found = self._dialects.get((name, decimals))
        if found is None:
            found = self._dialects[name, decimals] = load(name, decimals=decimals)
        return found
