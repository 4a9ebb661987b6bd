"""Whose orders they are: cash, what was made and paid, and the day's start."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from fastrouter.errors import ConfigError
from fastrouter.models.fields import decimal_text, shown

from .money import LIMIT, ZERO

__all__ = ["Account"]

MODES = ("PAPER_TRADING", "LIVE_TRADING")
#: the namespace of order ids, unless the caller has one
SEED = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
MAX_ID = 128


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
    #: whether it was announced that this session's loss has reached its limit
    loss_told: bool = False
    #: the kill switch: no order is accepted
    killed: bool = False
    #: orders made so far; the ids follow from it and the seed
    sequence: int = 0
    #: a UUID; two accounts that share it have orders of the same ids
    seed: str = SEED

    @classmethod
    def opened(
        cls,
        id: str,
        cash: Decimal | float | str,
        *,
        currency: str = "USD",
        mode: str = "PAPER_TRADING",
        seed: str = SEED,
    ) -> Account:
        """A new account with that much cash. Raises ConfigError for what cannot be."""
        if not 0 < len(id.encode()) <= MAX_ID:
            raise ConfigError(f"account id is {shown(id)}; allowed: 1 to {MAX_ID} bytes")
        try:
            start = Decimal(decimal_text(cash))
        except ValueError as error:
            raise ConfigError(f"account cash: {error}") from None
        if not 0 <= start < LIMIT:
            raise ConfigError(f"account cash is {shown(cash)}; allowed: 0 to 10^12")
        if mode not in MODES:
            raise ConfigError(f"account mode is {shown(mode)}; allowed: {', '.join(MODES)}")
        try:
            UUID(seed)
        except ValueError:
            raise ConfigError(f"account seed is {shown(seed)}; allowed: a UUID") from None
        return cls(id, start, start, currency, mode, seed=seed)
