"""What a client's text message says: JSON taken apart, with the reason when it cannot be."""

from __future__ import annotations

from typing import Any

import orjson

from fastrouter.errors import MessageError

__all__ = ["Message", "field", "parse", "strings"]

Message = dict[str, Any]

JSON_TYPES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean",
              int: "a number", float: "a number", type(None): "null"}  # fmt: skip


def parse(data: bytes) -> Message:
    """An object whose ``type`` is a string; of a key named twice the last counts.

    Raises MessageError for what is no message.
    """
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MessageError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise MessageError(f"message is {JSON_TYPES[type(message)]}; allowed: an object")
    if "type" not in message:
        raise MessageError("message has no 'type'")
    return message


def field(message: Message, name: str, kinds: Any, allowed: str) -> Any:
    """The value of a field; MessageError when it is missing or of another type."""
    if name not in message:
        raise MessageError(f"{message['type']}: {name!r} is missing; it must be {allowed}")
    value = message[name]
    if not isinstance(value, kinds) or isinstance(value, bool):
        found = JSON_TYPES[type(value)]
        raise MessageError(f"{message['type']}: {name!r} is {found}; it must be {allowed}")
    return value


def strings(message: Message, name: str) -> list[str]:
    """A field that is an array of strings; MessageError for any other."""
    value = field(message, name, list, "an array of strings")
    if not all(isinstance(item, str) for item in value):
        raise MessageError(f"{message['type']}: {name!r} must be an array of strings")
    found: list[str] = value
    return found
