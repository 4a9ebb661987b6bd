"""Backtests that others ask for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from fastrouter.config.section import Section
from fastrouter.config.values import KillGrace, Seconds

__all__ = ["Jobs"]


class Jobs(Section):
    """Backtests that others ask for, each in a process of its own."""

    at_once: int = Field(default=2, ge=1, le=256, description="1 to 256 that run at once")
    waiting: int = Field(
        default=1000, ge=1, le=100_000, description="1 to 100000 that wait at most"
    )
    timeout_seconds: Seconds = Field(
        default=86_400.0, description="seconds above 0 that one may take"
    )
    grace_seconds: KillGrace = 5.0
    nice: int = Field(
        default=10, ge=0, le=19,
        description="0 to 19: how far they let the router have a CPU first that both want",
    )  # fmt: skip
    keep: int = Field(
        default=1000, ge=0, le=100_000, description="0 to 100000 that have ended, the newest"
    )
    logs: Path | None = Field(
        default=None,
        description="a folder of their output; not given: jobs beside the store, of one in memory "
        "a folder for a while",
    )
