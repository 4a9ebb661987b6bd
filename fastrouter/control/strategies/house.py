"""What all strategies share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fastrouter.control.child import Child, Log
from fastrouter.control.desk import Desk
from fastrouter.control.strategies.keeper import Timer
from fastrouter.control.strategies.records import Records
from fastrouter.control.strategies.surroundings import Place

__all__ = ["Gate", "House", "NoTokens", "Tokens"]


class Tokens(Protocol):
    """Who lets the processes of strategies in, where others need a token."""

    def issue(self, strategy_id: str, /) -> str | None:
        """One for its process; None: it needs none."""

    def revoke(self, token: str, /) -> None:
        """Its process has ended."""


class NoTokens:
    """Whoever reaches us may."""

    def issue(self, strategy_id: str, /) -> str | None:
        """None."""
        return None

    def revoke(self, token: str, /) -> None:
        """There is none."""


class Gate(Protocol):
    """`fastrouter.net.group.Group`: who holds the sessions."""

    def pause(self, strategy_id: str, /) -> None:
        """The strategy's sessions get no market data, those to come neither."""

    def unpause(self, strategy_id: str, /) -> None:
        """They do again, first of all a snapshot."""


@dataclass(slots=True)
class House:
    """`publish` takes an event's kind and payload; `logs` is a folder, None: logs in memory."""

    desk: Desk
    records: Records
    gate: Gate
    publish: Callable[[str, dict[str, Any]], object]
    timer: Timer
    logs: Path | None = None
    place: Place | None = None  # known when our ports are open
    start: Callable[[Sequence[str], Mapping[str, str], Log, int], Awaitable[Child]] = Child.start
    tokens: Tokens = field(default_factory=NoTokens)
    open: bool = False  # may programs be started?
    launching: asyncio.Lock = field(default_factory=asyncio.Lock)

    def log_of(self, strategy_id: str) -> Path | None:
        """Where it writes to; None: memory."""
        return None if self.logs is None else self.logs / f"{strategy_id}.log"
