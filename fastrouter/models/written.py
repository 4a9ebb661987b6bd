"""A number of JSON as it was written, where a double is not that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

__all__ = ["Written", "doubles"]


class Written(Decimal):
    """Shown as it is written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def doubles(value: Any) -> Any:
    """The JSON value with doubles in place of those."""
    if isinstance(value, Written):
        return float(value)
    if isinstance(value, dict):
        return {key: doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [doubles(item) for item in value]
    return value
