"""The effective configuration, and where each of its values came from.

Sources, each wins over the ones before it::

    defaults  ◀  TOML file  ◀  SUBSCRIPTIONS  ◀  FASTROUTER_SECTION__KEY  ◀  command line
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fastrouter.config.complaint import explain
from fastrouter.config.settings import Settings
from fastrouter.config.sources import sources
from fastrouter.config.strategies import by_our_names
from fastrouter.errors import ConfigError

__all__ = ["Effective", "load"]


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings, and for each key (``server.port``) the source that set it."""

    settings: Settings
    origins: Mapping[str, str]

    def origin(self, key: str) -> str:
        """Where the value of a key came from."""
        return self.origins.get(key, "default")


def load(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Effective:
    """Read every source and return the effective configuration.

    ``overrides`` maps keys as ``server.port`` to values of the command line;
    None means not given. Raises ConfigError that lists every setting that
    cannot be used: its key and origin, what is wrong, what is allowed.
    """
    origins: dict[str, str] = {}
    tree: dict[str, Any] = {}
    for values, origin in sources(file, overrides or {}):
        for key, value in by_our_names(values).items():
            _put(tree, key, value)
            origins[key] = origin(key)
    try:
        return Effective(Settings(**tree), origins)
    except ValidationError as error:
        raise ConfigError(explain(error, origins)) from None


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[name] = value
