"""What pydantic found wrong, in one line for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from fastrouter.models.fields import shown

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["complaint", "parameter_complaint"]


def complaint(model: type[BaseModel], error: ValidationError) -> str:
    """The first thing that is wrong: the field, why, and what is allowed."""
    found: dict[str, Any] = dict(error.errors(include_url=False)[0])
    place = _place(found["loc"])
    return WORDS.get(found["type"], _other)(model, place, found)


def parameter_complaint(found: dict[str, Any]) -> str:
    """The same of a parameter of a request: an error of pydantic's."""
    place = _place(found["loc"][1:])  # behind "query" or "path"
    return WORDS.get(found["type"], _other)(BaseModel, place, found)


def _place(location: tuple[int | str, ...]) -> str:
    """``strategies[0].positions[1].quantity``"""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return shown(text.removeprefix("."))[1:-1]


def _missing(model: type[BaseModel], place: str, found: dict[str, Any]) -> str:
    return f"{place!r} is missing"


def _unknown(model: type[BaseModel], place: str, found: dict[str, Any]) -> str:
    if len(found["loc"]) > 1:
        return f"{place!r} is unknown"
    return f"{place!r} is unknown; allowed: {', '.join(model.model_fields)}"


def _word(model: type[BaseModel], place: str, found: dict[str, Any]) -> str:
    allowed = found["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
    return f"{place} is {shown(found['input'])}; allowed: {allowed}"


def _ours(model: type[BaseModel], place: str, found: dict[str, Any]) -> str:
    reason = str(found["ctx"]["error"])
    return f"{place}: {reason}" if place else reason


def _other(model: type[BaseModel], place: str, found: dict[str, Any]) -> str:
    return f"{place} is {shown(found['input'])}; {found['msg'].lower()}"


#: pydantic's type of error -> what we say
WORDS: dict[str, Callable[[type[BaseModel], str, dict[str, Any]], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "literal_error": _word,
    "value_error": _ours,
}
