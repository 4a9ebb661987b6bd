"""Whose orders they are: cash, what was made and paid, and the day's start."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .money import ZERO

__all__ = ["Account"]


class Account(NamedTuple):
    """The account's own figures; positions and reserves are its ledger's.

    At any time `cash` + the positions' cost + `fees` = `start` + `realised`, to the
    last digit.
    """

    id: str
    #: what it began with
    start: Decimal
    cash: Decimal
    currency: str = "USD"
    #: PAPER_TRADING or LIVE_TRADING
    mode: str = "PAPER_TRADING"
    #: profit of what was closed, commissions apart
    realised: Decimal = ZERO
    #: commissions paid
    fees: Decimal = ZERO
    #: equity at the start of the session, which ends at `day_end` (ns)
    day_equity: Decimal = ZERO
    day_end: int | None = None
    #: the kill switch: no order is accepted
    killed: bool = False
    #: orders made so far; the ids follow from it and the seed
    sequence: int = 0
    #: a UUID
    seed: str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

    @classmethod
    def opened(cls, id: str, cash: Decimal | int | str, **more: str) -> Account:
        """A new account with that much cash; `currency`, `mode`, `seed`."""
        return cls(id, Decimal(cash), Decimal(cash), **more)  # type: ignore[arg-type]
