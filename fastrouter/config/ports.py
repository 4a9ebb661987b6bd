"""The ports beside the server's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from fastrouter.config.section import Section

__all__ = ["Port", "Ports"]

ALLOWED = '0 (any free port) to 65535, or "off"'


Port = Annotated[int, Field(ge=0, le=65535)] | Literal["off"]


class Ports(Section):
    """Where the other systems' clients connect; all on server.host, by TLS with server.cert."""

    rest: Port = Field(default=8080, description=f"{ALLOWED}: REST, and botcore at /ws")
    ai: Port = Field(default=8000, description=f"{ALLOWED}: botcore-ai and dgbit")
    market: Port = Field(default=3001, description=f"{ALLOWED}: orchestrator, market data")
    risk: Port = Field(default=3002, description=f"{ALLOWED}: orchestrator, risk and orders")
    backtest: Port = Field(default=8081, description=f"{ALLOWED}: backtests")

    def served(self) -> Iterator[tuple[str, int]]:
        """Name and port of those that are."""
        for name, port in dict(self).items():
            if port != "off":
                yield name, port
