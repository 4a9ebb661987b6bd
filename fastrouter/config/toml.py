"""The effective configuration as TOML, each value with where it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from fastrouter.config.loader import Effective

__all__ = ["render"]


def render(effective: Effective) -> str:
    """A TOML document that loads to the same settings, secrets aside; origins are comments."""
    return "\n".join(_table(effective, effective.settings, ())).strip() + "\n"


def _table(
    effective: Effective, section: BaseModel | Mapping[str, BaseModel], path: tuple[str, ...]
) -> Iterator[str]:
    values = dict(section)
    if path and isinstance(section, BaseModel):
        yield f"\n[{'.'.join(path)}]"
    for name, value in values.items():
        if not _is_table(value):
            yield _line(name, value, effective.origin(".".join((*path, name))))
    for name, value in values.items():
        if _is_table(value):
            yield from _table(effective, value, (*path, name))


def _is_table(value: object) -> bool:
    """Is it a section, or sections by name?"""
    if isinstance(value, Mapping):
        return bool(value) and all(isinstance(one, BaseModel) for one in value.values())
    return isinstance(value, BaseModel)


def _line(name: str, value: Any, origin: str) -> str:
    if value is None:
        return f"# {name} is not set"
    if isinstance(value, SecretStr) or _are_secrets(value):
        return f"{f'# {name} is set, and not shown':<40} # {origin}"
    return f"{f'{name} = {_literal(value)}':<40} # {origin}"


def _are_secrets(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(o, SecretStr) for o in value.values())


def _literal(value: Any) -> str:
    """A TOML value (v1.0.0)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isinf(value):
        return '"max"'
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = (f"{_text(key)} = {_literal(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str | Path):
        return _text(value)
    raise TypeError(f"{type(value).__name__} has no TOML form")


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
