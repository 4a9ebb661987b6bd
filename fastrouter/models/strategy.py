"""What strategies run, and what became of one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from fastrouter.models.account import Mode
from fastrouter.models.cases import GIVEN, Cases, hold
from fastrouter.models.fields import LOWER, UPPER, Free, Name, Number, Real, Time
from fastrouter.models.payload import Payload

__all__ = ["Strategy"]

Happened = Literal["started", "stopped", "paused", "status_list", "service_status"]

#: event -> the field it is about
ABOUT = {
    "started": "strategy_id",
    "stopped": "strategy_id",
    "paused": "strategy_id",
    "status_list": "strategies",
    "service_status": "status",
}


class Holding(Payload):
    """A position in the list of strategies; the names are those of the wire."""

    symbol: Name
    quantity: Number
    entryPrice: Number
    currentValue: Number | None = None


class Running(Payload):
    """A strategy in the list."""

    id: Name
    name: str | None = None
    status: str
    symbols: list[str] | None = None
    positions: list[Annotated[Holding, AfterValidator(Payload.plain)]] | None = None


class Strategy(Payload):
    """Kind ``strategy``.

    `strategies` belongs to ``status_list``, `status` to ``service_status``; it and the
    figures of an account to whoever shows a bot's state, that is ``ERROR`` when a strategy failed.
    """

    CASES: ClassVar[Cases] = tuple(
        {"event": frozenset({event}), field: GIVEN} for event, field in ABOUT.items()
    )

    event: Annotated[Happened, LOWER]
    strategy_id: Name | None = None
    name: str | None = None
    symbols: list[str] | None = None
    strategies: list[Annotated[Running, AfterValidator(Payload.plain)]] | None = None
    status: Annotated[Literal["RUNNING", "STOPPED", "ERROR"], UPPER] | None = None
    reason: str | None = None
    mode: Mode | None = None
    total_balance: Number | None = None
    total_pnl: Number | None = None
    total_pnl_percent: Number | None = None
    total_positions: int | None = None
    uptime_seconds: Real | None = None
    enabled_strategies: list[str] | None = None
    last_signal_time: Time | None = None
    next_signal_time: Time | None = None
    metadata: Free | None = None

    @model_validator(mode="after")
    def _has_what_it_is_about(self) -> Strategy:
        if hold(self.CASES, self.__dict__):
            return self
        raise ValueError(f"{ABOUT[self.event]!r} is missing; {self.event} is about it")
