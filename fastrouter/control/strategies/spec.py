"""What is configured of a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Restarts", "Spec"]


class Restarts(NamedTuple):
    """How a program that crashed is started again; all in seconds.

    After `shortest`, and twice as long after each one more within the `window`, up to
    `longest`; `most` times within the `window`, then no more.
    """

    most: int = 5
    shortest: float = 1.0
    longest: float = 60.0
    window: float = 600.0


class Spec(NamedTuple):
    """One strategy. `config` is ORCH's, but for its symbols: limits and ``dataResolution``."""

    id: str
    command: tuple[str, ...]
    name: str
    symbols: tuple[str, ...] = ()  # none: all
    subscriptions: str | None = None  # None: quotes and candles of its symbols
    environment: Mapping[str, str] = {}
    autostart: bool = False
    restarts: Restarts = Restarts()
    grace: float = 5.0  # s from SIGTERM to SIGKILL
    nice: int = 0  # to 19: how far it lets others have a CPU first
    config: Mapping[str, Any] = {}
