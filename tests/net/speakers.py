"""Dialects of a test's own, under any name."""

from __future__ import annotations

import orjson

from fastrouter.core.dialect import Dialect


class Speaker(Dialect):
    """``{"as", "type", …}``, with its name, so that one sees who speaks."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def encode(self, event) -> bytes:
        return orjson.dumps({"as": self.name, "type": type(event).__name__.lower()})

    def control(self, kind: str, fields: dict, time: int) -> bytes:
        return orjson.dumps({"as": self.name, "type": kind, **fields})


def alpha(decimals: str) -> Dialect:
    """A dialect as the registry makes one."""
    return Speaker("alpha")


def beta(decimals: str) -> Dialect:
    """Another."""
    return Speaker("beta")
