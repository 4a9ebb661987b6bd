"""What is kept for sessions that come back."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from fastrouter.config.section import Section
from fastrouter.config.values import Seconds

__all__ = ["Journal"]


class Journal(Section):
    """Where events that must not be lost are kept for sessions that come back."""

    path: Path | None = Field(
        default=None,
        description="a file, made when there is none; not given: memory, and over a restart the "
        "newest 4 MiB beside the store (its name with -spool)",
    )
    max_age_seconds: Seconds = Field(default=86_400.0, description="seconds above 0, of a file")
    max_bytes: int | None = Field(
        default=None,
        ge=1 << 20,
        description="1048576 bytes or more; not given: 1 GiB of a file, 16 MiB of memory",
    )
