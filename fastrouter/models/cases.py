"""What the fields of an object must be together: a table of cases, of which one must hold.

A case says of some fields what each may be: a set of words, of which None means that the field is
null or left out; or `GIVEN`, anything else. What checks and what the schema says are both of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["ABSENT", "GIVEN", "Case", "Cases", "hold", "stated"]

Words = frozenset[str | None]
Case = Mapping[str, Words]
Cases = Sequence[Case]
Schema = dict[str, Any]

GIVEN: Words = frozenset({"*"})
ABSENT: Words = frozenset({None})


def hold(cases: Cases, fields: Mapping[str, Any]) -> bool:
    """Is one of them so?"""
    return any(all(_may(words, fields[name]) for name, words in case.items()) for case in cases)


def _may(words: Words, value: Any) -> bool:
    return value is not None if words is GIVEN else value in words


def stated(schema: Schema, *tables: Cases) -> Schema:
    """An object's JSON Schema, with what each of the tables demands."""
    properties = schema["properties"]
    demands = [{"anyOf": [_case(case, properties) for case in table]} for table in tables]
    return schema | (demands[0] if len(demands) == 1 else {"allOf": demands})


def _case(case: Case, properties: Mapping[str, Schema]) -> Schema:
    """A field that is left out is its default."""
    said = {name: _said(words) for name, words in case.items()}
    needed = [name for name in case if not _may(case[name], properties[name].get("default"))]
    return {"properties": said} | ({"required": needed} if needed else {})


def _said(words: Words) -> Schema:
    if words is GIVEN:
        return {"not": {"type": "null"}}
    if words == ABSENT:
        return {"type": "null"}
    return {"enum": sorted(filter(None, words)) + ([None] if None in words else [])}
