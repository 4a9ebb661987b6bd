"""Where values come from: the file, the environment, the command line.

The server reads its environment here and nowhere else.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource, SettingsError

from fastrouter.config.section import Table, section_of
from fastrouter.config.settings import PREFIX, Settings
from fastrouter.errors import ConfigError

__all__ = ["Origin", "Source", "sources"]

CONFIG_VARIABLE = "FASTROUTER_CONFIG"
SUBSCRIPTIONS_VARIABLE = "SUBSCRIPTIONS"
#: Variables of ours that name no setting.
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "FASTROUTER_BUILD"})


Source = tuple[dict[str, Any], "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Says where a key's value came from; ``{}`` stands for the key as a variable is spelt."""

    text: str

    def __call__(self, key: str) -> str:
        return self.text.format(PREFIX + key.replace(".", "__").upper())


def sources(file: Path | None, overrides: Mapping[str, Any]) -> Iterator[Source]:
    """Keys and values of each source, weakest first."""
    file = file or _file_of_environment()
    if file is not None:
        yield _leaves(_read(file)), Origin(f"file {file}".replace("{", "{{").replace("}", "}}"))
    if text := os.environ.get(SUBSCRIPTIONS_VARIABLE):
        key = "server.subscriptions"
        yield {key: text}, Origin(f"environment {SUBSCRIPTIONS_VARIABLE}")
    yield _environment(), Origin("environment {}")
    given = {key: value for key, value in overrides.items() if value is not None}
    yield given, Origin("command line")


def _file_of_environment() -> Path | None:
    name = os.environ.get(CONFIG_VARIABLE)
    return Path(name) if name else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


def _environment() -> dict[str, Any]:
    """Settings named by the environment; raises ConfigError for a variable that names none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    strange = [
        name
        for name in os.environ
        if name.upper().startswith(PREFIX)
        and name.upper() not in OTHER_VARIABLES
        and name.upper().partition("__")[0] not in known
    ]
    if strange:
        raise ConfigError(
            f"environment {', '.join(sorted(strange))}: no such setting; "
            f"allowed: {', '.join(sorted(f'{name}__KEY' for name in known))}"
        )
    try:
        return _leaves(EnvSettingsSource(Settings)())
    except SettingsError as error:
        raise ConfigError(
            f"environment: {error}; a section takes its keys one by one, as "
            f"{PREFIX}SERVER__PORT=8082"
        ) from None


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested tree as flat keys: ``{"server": {"port": 1}}`` -> ``{"server.port": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        key = prefix + name
        if isinstance(value, Mapping) and _is_section(key):
            flat |= _leaves(value, key + ".")
        else:
            flat[key] = value
    return flat


def _is_section(key: str) -> bool:
    table: Table = Settings
    for name in key.split("."):
        section = section_of(table, name)
        if section is None:
            return False
        table = section
    return True
