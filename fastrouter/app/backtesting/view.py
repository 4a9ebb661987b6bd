"""Who is told while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["View"]


class View(Protocol):
    """All of it is called in the loop, and shall not block."""

    def waits(self, environment: Mapping[str, str]) -> None:
        """It is ready, and there is no COMMAND: somebody has to connect."""

    def begin(self, first: int, last: int) -> None:
        """The data's first and last instant, ns; 0, 0 when they are not known."""

    def move(self, time: int, events: int, orders: int) -> None:
        """How far it is, some times a second: simulated time, ns, and how many there were."""

    def end(self) -> None:
        """It is over, one way or another."""

    def note(self, message: str) -> None:
        """Something that whoever runs it should know."""

    def write(self, data: bytes) -> None:
        """COMMAND's output."""
