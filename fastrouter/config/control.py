"""The control port."""

from __future__ import annotations

from pydantic import Field

from fastrouter.config.section import Section

__all__ = ["Control"]


class Control(Section):
    """Where operators look: metrics and sessions by HTTP."""

    enabled: bool = Field(default=True, description="true or false")
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="an address or name to bind",
    )
    port: int = Field(default=9082, ge=0, le=65535, description="0 (any free port) to 65535")
