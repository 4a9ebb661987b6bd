"""A table of the tree."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ConfigDict

__all__ = ["Named", "Section", "Table", "section_of"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(NamedTuple):
    """A table of tables: whoever configures names them."""

    item: type[BaseModel]


Table = type[BaseModel] | Named


def section_of(table: Table, name: str) -> Table | None:
    """The section of that name, or None when it is a value or nothing."""
    if isinstance(table, Named):
        return table.item
    field = table.model_fields.get(name)
    annotation: Any = field.annotation if field is not None else None
    if _is_model(annotation):
        model: type[BaseModel] = annotation
        return model
    if get_origin(annotation) is dict and _is_model(get_args(annotation)[1]):
        return Named(get_args(annotation)[1])
    return None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
