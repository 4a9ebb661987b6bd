"""A table of the tree."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Section", "section_of"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def section_of(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The section of that name, or None when it is a value or nothing."""
    field = model.model_fields.get(name)
    annotation: Any = field.annotation if field is not None else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None
