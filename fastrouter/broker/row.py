"""State as rows of plain JSON values, and back."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple, TypeVar

from .money import text

__all__ = ["Row", "from_row", "to_row"]

T = TypeVar("T", bound=tuple[Any, ...])


class Row(NamedTuple):
    """One row as it is now, whole."""

    table: str
    key: str
    #: a NamedTuple, or a dict of plain values; None: there is no such row any more
    state: Any

    @property
    def values(self) -> dict[str, Any] | None:
        """Its fields as plain JSON values; made when they are asked for."""
        return self.state if self.state is None or type(self.state) is dict else to_row(self.state)


def to_row(state: Any) -> dict[str, Any]:
    """A NamedTuple's fields, decimals as text."""
    return {
        name: text(value) if isinstance(value, Decimal) else value
        for name, value in zip(state._fields, state, strict=True)
    }


def from_row(kind: type[T], row: dict[str, Any]) -> T:
    """The NamedTuple that a row was made of.

    Raises TypeError for a row of another kind, ValueError for a number that is none.
    """
    decimals = _decimals(kind)
    try:
        return kind(
            **{
                name: Decimal(value) if name in decimals and value is not None else value
                for name, value in row.items()
            }
        )
    except InvalidOperation:
        raise ValueError(f"{kind.__name__}: what should be a number is none: {row}") from None


@cache
def _decimals(kind: type[Any]) -> frozenset[str]:
    return frozenset(name for name, hint in kind.__annotations__.items() if "Decimal" in str(hint))
