"""Values as text says them, in the environment and on the command line."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

__all__ = ["KillGrace", "Listed", "OrMax", "Seconds", "amounts", "counted", "mapped", "numbered"]


def listed(value: object) -> object:
    """``"a, b"`` -> ``["a", "b"]``, ``""`` -> ``[]``: environment variables are text."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",")] if value.strip() else []


def counted(value: object) -> object:
    """``"20"`` -> 20, ``"S:A,S:B"`` -> a list of names."""
    if isinstance(value, str):
        return int(value) if value.strip().isdecimal() else listed(value)
    return value


def numbered(value: object) -> object:
    """``"100"`` -> 100, ``"trading-api=200,botcore=50"`` -> a number by name."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return {name: int(number) for name, number in _pairs(value)}
    return value


def unbounded(value: object) -> object:
    """``"max"`` -> infinity, which TOML can say too."""
    return math.inf if value == "max" else value


def mapped(value: object) -> object:
    """``"time=0,bid=Bid"`` -> ``{"time": 0, "bid": "Bid"}``: a column by its index or name."""
    if isinstance(value, str):
        return {name: int(to) if to.isdecimal() else to for name, to in _pairs(value)}
    return value


def amounts(value: object) -> object:
    """``"per_order=1,percent=0.1"`` -> a number, as text, by name."""
    return dict(_pairs(value)) if isinstance(value, str) else value


def _pairs(text: str) -> list[tuple[str, str]]:
    """``"a=1, b=2"`` -> ``[("a", "1"), ("b", "2")]``."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("every item needs a =")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


OrMax = Annotated[float, BeforeValidator(unbounded), Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
KillGrace = Annotated[
    float,
    Field(
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="0 to 3600 seconds from SIGTERM to SIGKILL",
    ),
]
Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)]
