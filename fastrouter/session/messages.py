"""What a client's text message says: JSON taken apart, with the reason when it cannot be."""

from __future__ import annotations

from typing import Any

import orjson

from fastrouter.errors import MessageError

__all__ = ["Message", "decode", "field", "found", "kind_of", "optional", "strings"]

Message = dict[str, Any]

JSON_TYPES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean",
              int: "a number", float: "a number", type(None): "null"}  # fmt: skip


def decode(data: bytes) -> Any:
    """What the text says; of a key named twice the last counts. Raises MessageError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MessageError(f"not JSON: {error}") from None


def kind_of(message: Any) -> str | None:
    """The ``type`` of a message, None when it has none that is a string."""
    kind = message.get("type") if isinstance(message, dict) else None
    return kind if isinstance(kind, str) else None


def found(value: Any) -> str:
    """What JSON calls a value: ``a number``."""
    return JSON_TYPES[type(value)]


def field(message: Message, name: str, kinds: Any, allowed: str) -> Any:
    """The value of a field; MessageError when it is missing or of another type."""
    if name not in message:
        raise MessageError(f"{message['type']}: {name!r} is missing; it must be {allowed}")
    return optional(message, name, kinds, allowed)


def optional(message: Message, name: str, kinds: Any, allowed: str) -> Any:
    """The same for one that may be missing: None then."""
    if name not in message:
        return None
    value = message[name]
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise MessageError(f"{message['type']}: {name!r} is {found(value)}; it must be {allowed}")
    return value


def strings(message: Message, name: str) -> list[str]:
    """A field that is an array of strings; MessageError for any other."""
    value = field(message, name, list, "an array of strings")
    if not all(isinstance(item, str) for item in value):
        raise MessageError(f"{message['type']}: {name!r} must be an array of strings")
    texts: list[str] = value
    return texts
