"""A limit that was breached, or where one stands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastrouter.models.fields import LOWER, UPPER, Free, Name, Number, Symbol
from fastrouter.models.payload import Payload

__all__ = ["Risk"]

Severity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]


class Risk(Payload):
    """Kind ``risk``. `limit` is what is allowed, `value` what was found."""

    event: Annotated[Literal["limit_breached", "status"], LOWER] = "limit_breached"
    rule: Name
    strategy_id: str | None = None
    account_id: Name | None = None
    symbol: Symbol | None = None
    limit: Number | None = None
    value: Number | None = None
    message: str | None = None
    severity: Annotated[Severity, UPPER] = "WARNING"
    recoverable: bool = True
    details: Free | None = None
