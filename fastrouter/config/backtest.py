"""What is simulated at the port ``ports.backtest``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from fastrouter.config.section import Section
from fastrouter.config.values import Seconds

__all__ = ["Backtest"]


class Backtest(Section):
    """What is simulated at the port ports.backtest."""

    data: Path | None = Field(
        default=None, description="a folder of data sets; without one there is a made-up market"
    )
    dataset: str | None = Field(
        default=None, min_length=1, description="the name of a data set, for who names none"
    )
    idle_seconds: Seconds = Field(
        default=300.0, description="seconds above 0 that a run waits for who is away"
    )
    runs: int = Field(default=64, ge=1, description="how many at once, from 1")
