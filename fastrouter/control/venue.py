"""The router as a desk sees it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from fastrouter.core.clock import Clock
from fastrouter.core.watch import Watch

__all__ = ["Venue"]


class Venue(Protocol):
    """`fastrouter.embed.Router`, as far as it is known here."""

    @property
    def market(self) -> Watch: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def last_id(self) -> int: ...
    def publish(self, kind: str, payload: dict[str, Any], /) -> int: ...
    def publish_event(
        self, kind: str, payload: dict[str, Any], symbol: str, time: int, /
    ) -> object: ...
    def batch(self) -> AbstractContextManager[object]: ...
