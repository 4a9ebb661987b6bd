"""What is known of a run besides itself: data, little behaviour."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from ..broker import Account, Commission, Rules
from ..core.kinds import DEFAULT_ACCOUNT
from .desk import RunDesk
from .equity import Point
from .news import Totals
from .prices import RunPrices
from .query import Wanted
from .report import Report
from .run import Run
from .seat import Place

__all__ = ["Ended", "Hosted", "Last", "Options"]


class Options(NamedTuple):
    """What holds for all runs."""

    dataset: str | None = None  # of who names none; None: the only one there is
    idle_seconds: float = 300.0  # for a member that is away to come back
    runs: int = 64  # at once
    candles: tuple[str, ...] = ()  # timeframes, built from quotes
    price: str = "last"
    outbox_bytes: int = 1 << 20
    # of a run's paper account, unless the query says it
    cash: Decimal | float = 100_000
    commission: Mapping[str, Decimal | float | str] = MappingProxyType(
        {}
    )  # see `broker.Commission`
    shorting: bool = False

    def check(self) -> None:
        """Raises ConfigError for an account that cannot be."""
        Account.opened(DEFAULT_ACCOUNT, self.cash)
        Commission(self.commission)


class Ended(NamedTuple):
    """A run that is over."""

    run_id: str
    dataset: str
    why: str  # "completed", "failed", or "left": by all its members
    totals: Totals
    report: Report
    equity: list[Point]


class Last(NamedTuple):
    """What a run's clients were told at its end, and how they were closed."""

    kind: str
    fields: dict[str, Any]
    code: int
    reason: str


class Hosted:
    """A run, what it was asked for, and who sits in it."""

    def __init__(self, run: Run, wanted: Wanted, made: int) -> None:
        self.run = run
        self.wanted = wanted
        self.made = made  # ns of the wall clock
        self.places: list[Place] = []
        self.subjects: dict[str | None, None] = {}  # of its members, the first one first
        self.reading: asyncio.Task[None] | None = None
        self.desk: RunDesk | None = None  # when somebody asked for it
        self.why = "left"  # see `Ended`
        self.last: Last | None = None  # once it is completed, or has failed

    def unknown_symbols(self) -> list[str]:
        """Those that were asked for by name and have had no event."""
        seen = set(RunPrices(self.run.router).symbols())
        return [symbol for symbol in self.wanted.symbols or () if symbol not in seen]

    def time_ns(self) -> int:
        """See `Seat.time_ns`."""
        return self.run.clock.time_ns() or self.wanted.start or 0

    def desk_of(self, options: Options) -> RunDesk:
        """Its desk, made when it is first asked for: a run without orders pays for none."""
        if self.desk is None:
            wanted = self.wanted
            owner = wanted.account or next(iter(self.subjects), None) or DEFAULT_ACCOUNT
            cash = options.cash if wanted.cash is None else wanted.cash
            rates = options.commission if wanted.commission is None else dict(wanted.commission)
            shorting = options.shorting if wanted.shorting is None else wanted.shorting
            rules = Rules(commission=Commission(rates), shorting=shorting)
            account = Account.opened(owner, cash)
            self.desk = RunDesk(self.run, account, rules, wanted.symbols or (), wanted.start or 0)
        return self.desk
