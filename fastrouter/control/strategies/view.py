"""A strategy as REST shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from fastrouter.control.strategies.strategy import Strategy

__all__ = ["Lines", "Listed", "View"]


class Holding(BaseModel):
    """What it holds of a symbol."""

    symbol: str
    quantity: float
    entryPrice: float
    currentValue: float


class View(BaseModel):
    """One strategy; the names of ORCH where it has them."""

    id: str
    name: str
    status: str = Field(examples=["ACTIVE"])
    symbols: list[str] = Field(description="none: all that there are")
    positions: list[Holding]
    config: dict[str, Any] = Field(description="what it was started with, or would be")
    command: list[str]
    autostart: bool
    pid: int | None = Field(description="of its process, while it runs")
    started_at: datetime | None = Field(description="when its process was")
    restarts: int = Field(description="after crashes, since it was started")
    last_exit: str | None = Field(examples=["exit status 1"])

    @classmethod
    def of(cls, strategy: Strategy) -> View:
        spec, record, child = strategy.spec, strategy.record, strategy.child
        began = strategy.started_at
        return cls(
            id=spec.id,
            name=spec.name,
            status=strategy.status,
            symbols=strategy.config["symbols"],
            positions=[Holding(**one) for one in strategy.positions],
            config=strategy.config,
            command=[*spec.command],
            autostart=spec.autostart,
            pid=None if child is None else child.pid,
            started_at=None if began is None else datetime.fromtimestamp(began / 1e9, UTC),
            restarts=record.restarts,
            last_exit=record.last_exit,
        )


class Listed(BaseModel):
    """All strategies."""

    service: str = Field(description="of the orchestrator", examples=["RUNNING"])
    strategies: list[View]


class Lines(BaseModel):
    """The end of a log, the newest line last."""

    lines: list[str]
