"""What is wrong with settings, in words that hold no secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from fastrouter.config.section import Named, Table, section_of
from fastrouter.config.settings import Settings

__all__ = ["explain"]

#: Settings of auth that may be shown when they cannot be used.
HARMLESS = ("algorithms", "leeway_seconds", "first_message_seconds")


def explain(error: ValidationError, origins: Mapping[str, str]) -> str:
    """One line per setting that cannot be used."""
    lines: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        key, allowed = _locate(problem["loc"])
        reason = str(problem.get("ctx", {}).get("error") or problem["msg"])
        if problem["type"] == "extra_forbidden":
            reason = "no such setting"
        text = f"{key} = {_given(problem, key)} ({origins.get(key, 'default')}): {reason}"
        told = "allowed:" in reason or not allowed
        lines.setdefault(key, text if told else f"{text}; allowed: {allowed}")
    return "\n".join(lines.values())


def _given(problem: Any, key: str) -> str:
    """What was given, as far as it may be shown."""
    if problem["type"] == "missing":
        return "nothing"
    return "***" if _is_secret(problem["loc"]) else _shown(key, problem["input"])


def _shown(key: str, value: object) -> str:
    """A value in an error, unless it may be a secret, or a secret that was misplaced."""
    section, _, name = key.partition(".")
    hidden = section == "auth" and name not in HARMLESS
    hidden |= section == "strategies" and isinstance(value, Mapping)  # an environment is in there
    if hidden or "secret" in key.lower() or "secret" in repr(value).lower():
        return "***"
    return repr(value)


def _is_secret(location: tuple[int | str, ...]) -> bool:
    """Whether an error is about a value that must not be shown."""
    table: Table = Settings
    for part in map(str, location):
        section = section_of(table, part)
        if section is None:
            field = _fields(table).get(part)
            return field is not None and SecretStr in (
                field.annotation,
                *get_args(field.annotation),
            )
        table = section
    return False


def _locate(location: tuple[int | str, ...]) -> tuple[str, str]:
    """The key an error is about, without what pydantic adds for unions, and what is allowed."""
    table: Table = Settings
    key: list[str] = []
    for part in map(str, location):
        key.append(part)
        section = section_of(table, part)
        if section is None:
            field = _fields(table).get(part)
            allowed = ", ".join(_fields(table)) if field is None else field.description
            return ".".join(key), allowed or ""
        table = section
    return ".".join(key), "a table"


def _fields(table: Table) -> Mapping[str, FieldInfo]:
    return {} if isinstance(table, Named) else table.model_fields
