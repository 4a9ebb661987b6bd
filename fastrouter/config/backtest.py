"""What is simulated at the port ``ports.backtest``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from fastrouter.config.section import Section
from fastrouter.config.values import Seconds, mapped

__all__ = ["Backtest"]


Rate = Annotated[float, Field(ge=0, lt=1e6)]
Commission = Annotated[
    dict[Literal["per_order", "per_unit", "percent"], Rate], NoDecode, BeforeValidator(mapped)
]


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
    cash: float = Field(
        default=100_000.0,
        gt=0,
        lt=1e12,
        description="what a run's paper account begins with, above 0",
    )
    commission: Commission = Field(
        default_factory=dict, description="RATE=NUMBER items of per_order, per_unit, percent"
    )
    shorting: bool = Field(
        default=False, description="true (more may be sold than is held) or false"
    )
