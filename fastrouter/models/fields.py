"""The types of fields: what a publisher may write, and the one form it is routed in.

======== ============================================== ============================
type     accepted                                       routed
======== ============================================== ============================
Number   number, Decimal, decimal string; finite        decimal text: ``"150.25"``
Real     the same                                       number, an int when whole
Fraction the same, 0 to 1                               number
Time     ISO-8601 with a zone, Unix ms, aware datetime  ISO-8601 UTC, microseconds, Z
Name     string of 1 to 128 characters                  the same
Symbol   the same, that can be a topic's                the same
Free     object of any JSON values; finite, 200 deep    whole numbers as int, others doubles
======== ============================================== ============================
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, JsonValue, PlainValidator, WithJsonSchema

from fastrouter.core.leaves import iso8601, parse_iso8601
from fastrouter.models.written import Written, doubles

__all__ = [
    *("LOWER", "UPPER"),
    *("Fraction", "Free", "Name", "Number", "Real", "Symbol", "Time"),
    *("above_zero_schema", "decimal_text", "real", "shown", "symbol_schema"),
]

MAX_DIGITS = 64  # characters of a decimal
LEAST, MOST = -45, 63  # powers of ten: what a double is fits into as many, with its sign
MAX_NAME = 128  # characters; a topic's symbol may have as many bytes

#: what is decimal text as it stands
PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
#: what can be made such
NUMERIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MILLISECOND = 1_000_000  # ns
LARGEST_INT = 2.0**53  # from there on doubles are further apart than integers
DEEPEST = 200  # objects and lists within each other; orjson writes 254 with all that is around them


def decimal_text(value: object) -> str:
    """The decimal text of a number, without exponent; ValueError when it is none."""
    if type(value) is str and len(value) <= MAX_DIGITS and PLAIN.fullmatch(value):
        text = value
    else:
        text = format(_decimal(value), "f")
        if isinstance(value, float | Written) and text.endswith(".0"):
            text = text[:-2]
    if len(text) > MAX_DIGITS:
        raise ValueError(f"{len(text)} digits; allowed: {MAX_DIGITS}")
    return text.removeprefix("-") if text.startswith("-0") and not text.strip("-0.") else text


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if isinstance(value, int) and abs(value).bit_length() > 4 * MAX_DIGITS:
            raise ValueError("too large a number")
        number = Decimal(repr(value))
    elif isinstance(value, str) and len(value) <= MAX_DIGITS and NUMERIC.fullmatch(value):
        number = Decimal(value)
    else:
        raise ValueError(f"{shown(value)} is no number; allowed: a finite number or decimal string")
    if not number.is_finite():
        raise ValueError(f"{value} is not finite; allowed: a finite number or decimal string")
    if number and not LEAST <= number.adjusted() < MOST:
        raise ValueError(f"{shown(value)} has more than {MAX_DIGITS} digits")
    return number


def real(value: object) -> int | float:
    """The number, an int when it is whole; ValueError when it is none."""
    number: int | float = whole(float(_decimal(value)))
    return number


def fraction(value: object) -> int | float:
    """A number from 0 to 1; ValueError when it is none."""
    number = real(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{shown(value)} is out of range; allowed: 0 to 1")
    return number


def time_text(value: object) -> str:
    """The time as ISO-8601 UTC; ValueError when it is none."""
    try:
        return iso8601(_nanoseconds(value))
    except OverflowError:
        raise ValueError(f"{shown(value)} is out of range; allowed: years 1678 to 2261") from None


def _nanoseconds(value: object) -> int:
    if isinstance(value, str):
        return parse_iso8601(value)
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return (value - EPOCH) // MICROSECOND * 1000
    if isinstance(value, float | Written) and abs(float(value)) < LARGEST_INT and value % 1 == 0:
        value = int(value)  # as JSON Schema has it, 5.0 is an integer
    if isinstance(value, int) and not isinstance(value, bool):
        return value * MILLISECOND
    raise ValueError(
        f"{shown(value)} is no time; allowed: ISO-8601 with a zone, Unix ms, an aware datetime"
    )


def name(value: str) -> str:
    """A text that is neither empty nor too long; ValueError for others."""
    if not 0 < len(value) <= MAX_NAME:
        raise ValueError(f"{len(value)} characters; allowed: 1 to {MAX_NAME}")
    return value


def whole(value: Any) -> Any:
    """The JSON value, its whole numbers as int: 66000 and not 66000.0.

    ValueError when it is nested so deep that it could not be written.
    """
    return _whole(value, DEEPEST)


def _whole(value: Any, room: int) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < LARGEST_INT else value
    if not isinstance(value, dict | list):
        return value
    if not room:
        raise ValueError(f"nested too deep; allowed: {DEEPEST} levels")
    if isinstance(value, dict):
        return {key: _whole(item, room - 1) for key, item in value.items()}
    return [_whole(item, room - 1) for item in value]


def shown(value: object) -> str:
    """A value in a message of one line, short."""
    try:
        text = " ".join(ascii(value[:80] if isinstance(value, str) else value).split())
    except (ValueError, RecursionError):  # more digits, or deeper, than Python prints
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _doubles(value: Any) -> Any:
    try:
        return doubles(value)
    except RecursionError:
        return value  # what is so deep is refused next


#: before a Literal: words in any case
UPPER = BeforeValidator(_upper)
LOWER = BeforeValidator(_lower)

_DECIMAL = {"type": "string", "format": "decimal", "pattern": r"^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?$"}
#: see `_decimal`
_NUMBER = {
    "anyOf": [
        {"const": 0},
        {"type": "number", "minimum": 10.0**LEAST, "exclusiveMaximum": 10.0**MOST},
        {"type": "number", "exclusiveMinimum": -(10.0**MOST), "maximum": -(10.0**LEAST)},
        _DECIMAL,
    ]
}
_MOST_MS = 2**63 // MILLISECOND  # from the epoch: about years 1678 to 2261
_TIME = {
    "anyOf": [
        {"type": "string", "format": "date-time", "pattern": "^(1[7-9]|2[01])"},
        {"type": "integer", "minimum": -_MOST_MS, "maximum": _MOST_MS},
    ]
}


def above_zero_schema(most: int, places: int, least: float) -> WithJsonSchema:
    """From `least` on, below 10^`most`; of text, of so many decimals.

    Of a number no schema says that: `multipleOf` is reckoned with doubles, of which 0.1 is no
    multiple of 1e-9.
    """
    whole, part = rf"0*[1-9][0-9]{{0,{most - 1}}}", rf"[0-9]{{1,{places}}}"
    tiny = rf"0+\.[0-9]{{0,{places - 1}}}[1-9]0*"
    text = {"type": "string", "format": "decimal", "pattern": rf"^({whole}(\.{part})?|{tiny})$"}
    number = {"type": "number", "minimum": least, "exclusiveMaximum": 10**most}
    return WithJsonSchema({"anyOf": [number, {**text, "maxLength": MAX_DIGITS}]})


def symbol_schema(most: int = MAX_NAME) -> WithJsonSchema:
    """About what `fastrouter.core.leaves.symbol_valid` says: no schema counts bytes."""
    return WithJsonSchema({"type": "string", "pattern": rf"^[^\s,*\x00-\x1f\x7f]{{1,{most}}}$"})


Number = Annotated[str, PlainValidator(decimal_text), WithJsonSchema(_NUMBER)]
Real = Annotated[int | float, PlainValidator(real), WithJsonSchema(_NUMBER)]
_FRACTION = {
    "anyOf": [
        {"const": 0},
        {"type": "number", "minimum": 10.0**LEAST, "maximum": 1},
        {"type": "string", "format": "decimal", "pattern": r"^(0(\.[0-9]{1,30})?|1(\.0{1,30})?)$"},
    ]
}
Fraction = Annotated[int | float, PlainValidator(fraction), WithJsonSchema(_FRACTION)]
Time = Annotated[str, PlainValidator(time_text), WithJsonSchema(_TIME)]
_NAME = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
Name = Annotated[str, AfterValidator(name), WithJsonSchema(_NAME)]
Symbol = Annotated[Name, symbol_schema()]
Free = Annotated[dict[str, JsonValue], BeforeValidator(_doubles), AfterValidator(whole)]
