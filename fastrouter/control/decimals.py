"""JSON whose numbers are decimals exactly as they were written, where doubles are not those."""

from __future__ import annotations

from collections.abc import Callable
from decimal import DecimalException
from json import JSONDecoder
from typing import Any

import orjson

from fastrouter.models.written import Written

__all__ = ["doubles_within", "loads"]

NESTED = {dict, list}
LEAST, MOST = -(2**63), 2**64  # of a whole number that is none of ours


def loads(text: bytes, inexact: Callable[[Any], bool]) -> Any:
    """What the JSON says. ValueError when it is none, or nothing can be made of a number.

    When `inexact` of what was read with doubles, it is read anew: numbers with a fraction or an
    exponent, and whole ones of more than 64 bits, are `Written` then.
    """
    said = orjson.loads(text)
    if not inexact(said):
        return said
    try:
        return EXACT.decode(text.decode())
    except DecimalException:
        raise ValueError("the exponent of a number is out of range") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def doubles_within(value: Any) -> bool:
    """Are there any, however deep?"""
    if type(value) is dict and not NESTED.intersection(kinds := set(map(type, value.values()))):
        return float in kinds  # as in orders, soon told
    rest = [value]
    while rest:
        one = rest.pop()
        if type(one) is float:
            return True
        if type(one) in NESTED:
            rest.extend(one.values() if type(one) is dict else one)
    return False


def _whole(text: str) -> int | Written:
    number = int(text)  # a double was had of it: these are at most 309 digits
    return number if LEAST <= number < MOST else Written(text)


EXACT = JSONDecoder(parse_float=Written, parse_int=_whole)
