"""What is to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastrouter.core.timeframe import parse_timeframe
from fastrouter.engine.dataset import Dataset
from fastrouter.engine.given import given
from fastrouter.engine.query import Wanted
from fastrouter.engine.track import Reading
from fastrouter.errors import ConfigError, MessageError, SubscriptionError
from fastrouter.session import subscriptions as grammar

__all__ = ["MINUTES", "Asked", "dataset_of", "wanted_of"]

MINUTES = ("1m",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Seconds are of wall time. Raises ConfigError for what cannot be."""

    dataset: Dataset
    command: Sequence[str] = ()  # nobody: whoever connects
    wanted: Wanted = field(default_factory=Wanted)
    subscriptions: str | None = None  # None: what the data has, and orders
    candles: tuple[str, ...] | None = None  # built from quotes; None: MINUTES, if it has no bars
    host: str = "127.0.0.1"
    port: int = 0
    patience: float = 60.0  # for COMMAND to connect
    grace: float = 5.0  # for COMMAND to end when the run has
    timeout: float | None = None  # for all of it

    def __post_init__(self) -> None:
        try:
            for timeframe in self.candles or ():
                parse_timeframe(timeframe)
            if self.subscriptions is not None:
                grammar.parse(self.subscriptions, "1m")
        except (SubscriptionError, ValueError) as error:
            raise ConfigError(str(error)) from None
        for name in ("patience", "grace", "timeout"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds < 1e9:
                raise ConfigError(f"{name} is {seconds}; allowed: seconds from 0")


def dataset_of(data: Sequence[str], folder: Path | None, **reading: Any) -> Dataset:
    """The data that is named; `reading` are fields of `engine.track.Reading`. Raises FeedError."""
    return given(data, folder, Reading(**reading))


def wanted_of(options: Mapping[str, str | None]) -> Wanted:
    """Options by the names of a backtest's query string. Raises ConfigError."""
    named = {name: text for name, text in options.items() if text is not None}
    try:
        return Wanted.read(named, named.get)
    except MessageError as error:
        raise ConfigError(str(error)) from None
