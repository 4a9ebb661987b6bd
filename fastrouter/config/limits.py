"""How much of the server one client may have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from fastrouter import dialects
from fastrouter.config.section import Section
from fastrouter.config.values import numbered
from fastrouter.session.limits import RATE_LIMITS

__all__ = ["Limits"]


class Limits(Section):
    """How much of the server one client may have; 0 is no limit."""

    connections: int = Field(default=20_000, ge=0, description="connections in all; 0 is no limit")
    connections_per_address: int = Field(
        default=0, ge=0, description="connections from one address; 0 is no limit"
    )
    subscriptions: int = Field(
        default=1000, ge=0, description="patterns a session may hold; 0 is no limit"
    )
    messages_per_minute: Annotated[
        Annotated[int, Field(ge=0)] | dict[str, Annotated[int, Field(ge=0)]],
        NoDecode,
        BeforeValidator(numbered),
    ] = Field(default=100, description="messages from a client, or DIALECT=N items; 0 is no limit")
    total_bytes: int = Field(
        default=256 << 20,
        ge=1 << 16,
        le=1 << 40,
        description="65536 to 1099511627776 bytes that all sessions' outboxes may hold together",
    )
    header_bytes: int = Field(
        default=16 << 10, ge=1 << 8, le=16 << 10, description="256 to 16384 bytes of a request"
    )

    @field_validator("messages_per_minute")
    @classmethod
    def _dialects_exist(cls, value: int | dict[str, int]) -> int | dict[str, int]:
        known = sorted({*RATE_LIMITS, *dialects.names()})
        for name in value if isinstance(value, dict) else ():
            if name not in known:
                raise ValueError(f"no dialect {name!r}; allowed: {', '.join(known)}")
        return value
