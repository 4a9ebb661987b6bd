"""The log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fastrouter.config.section import Section

__all__ = ["Log"]


class Log(Section):
    """What is logged, and how it looks."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    format: Literal["console", "json"] = Field(default="console", description='"console" or "json"')
