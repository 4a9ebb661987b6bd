"""Who trades live, and on what terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from fastrouter.config.section import Section
from fastrouter.config.values import amounts

__all__ = ["Broker"]

Amount = Annotated[Decimal, Field(ge=0, lt=10**6, allow_inf_nan=False)]


class Broker(Section):
    """Who takes orders, and on what terms: an account of its own, in the store."""

    kind: str = Field(
        default="paper", min_length=1, description='"paper", or the name of a registered broker'
    )
    account: str = Field(
        default="default", min_length=1, max_length=128, description="1 to 128 characters"
    )
    cash: Decimal = Field(
        default=Decimal(100_000), ge=0, lt=10**12, allow_inf_nan=False, decimal_places=9,
        description="0 to below 10^12: what a new account begins with",
    )  # fmt: skip
    currency: str = Field(
        default="USD", pattern="^[A-Z]{3,10}$", description="3 to 10 capital letters"
    )
    mode: Literal["PAPER_TRADING", "LIVE_TRADING"] = Field(
        default="PAPER_TRADING",
        description='"PAPER_TRADING" or "LIVE_TRADING": what the account is said to be; on a live '
        "one, of strategies only those with realTrading have orders; "
        "orders that name no strategy are not held to that",
    )
    commission: Annotated[
        dict[Literal["per_order", "per_unit", "percent"], Amount],
        NoDecode,
        BeforeValidator(amounts),
    ] = Field(
        default_factory=dict,
        description='NAME=RATE items of per_order, per_unit, percent, as "per_order=1,percent=0.1"',
    )
    shorting: bool = Field(
        default=False, description="true or false: may more be sold than is held?"
    )
    participation: Decimal | None = Field(
        default=None, gt=0, le=1,
        description="above 0, up to 1: the part of a bar's volume that orders take; all if unset",
    )  # fmt: skip
    collar: Decimal = Field(
        default=Decimal(0), ge=0, le=1,
        description="0 to 1: how much more than the last price is reserved for market orders",
    )  # fmt: skip
    session_end: str = Field(
        default="00:00",
        description='"HH:MM", UTC: when day orders expire and the day\'s loss begins anew',
    )
    max_daily_loss: Decimal | None = Field(
        default=None, gt=0, lt=10**12, allow_inf_nan=False,
        description="above 0: the loss of a day from which on no position is opened; none if unset",
    )  # fmt: skip

    @field_validator("session_end")
    @classmethod
    def _session_ends_at_a_time(cls, text: str) -> str:
        hours, colon, minutes = text.partition(":")
        parts = hours.isdecimal() and minutes.isdecimal() and len(hours) == len(minutes) == 2
        if not (colon and parts and int(hours) < 24 and int(minutes) < 60):
            raise ValueError('allowed: "HH:MM" from 00:00 to 23:59')
        return text

    @property
    def session_end_ns(self) -> int:
        """ns after midnight, UTC."""
        hours, _, minutes = self.session_end.partition(":")
        return (int(hours) * 60 + int(minutes)) * 60_000_000_000
