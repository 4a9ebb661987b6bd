"""An account's state, or its bot's."""

from __future__ import annotations

from typing import Annotated, Literal

from fastrouter.models.fields import UPPER, Free, Name, Number, Real, Time
from fastrouter.models.payload import Payload

__all__ = ["Account", "Mode"]

Mode = Annotated[Literal["PAPER_TRADING", "LIVE_TRADING"], UPPER]
Status = Literal["RUNNING", "PAUSED", "STOPPED", "ERROR"]


class Account(Payload):
    """Kind ``account``. `total_pnl` is `realized_pnl` and `unrealized_pnl`, less `fees`."""

    id: Name
    status: Annotated[Status, UPPER] = "RUNNING"
    mode: Mode = "PAPER_TRADING"
    currency: str | None = None
    cash: Number | None = None
    equity: Number | None = None
    buying_power: Number | None = None
    total_balance: Number | None = None
    total_pnl: Number | None = None
    total_pnl_percent: Number | None = None
    realized_pnl: Number | None = None
    unrealized_pnl: Number | None = None
    fees: Number | None = None
    total_positions: int | None = None
    uptime_seconds: Real | None = None
    enabled_strategies: list[str] | None = None
    last_signal_time: Time | None = None
    next_signal_time: Time | None = None
    metadata: Free | None = None
