"""What holds for all sessions of one kind: how they are talked to, and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fastrouter.session.limits import RateLimit
from fastrouter.session.manners import MANNERS, Manners
from fastrouter.session.subscriptions import Subscription

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.session.acks import Acks
    from fastrouter.session.auth import Verifier
    from fastrouter.session.roster import Roster

__all__ = ["Rules"]

SECOND = 1_000_000_000  # ns


class Rules(NamedTuple):
    """What holds for all sessions of one endpoint and dialect."""

    heartbeat: int = 15 * SECOND  # ns between two pings
    default_timeframe: str = "1m"
    subscriptions: tuple[Subscription, ...] | None = None  # of who names none; None: its manners'
    max_subscriptions: int = 1000  # 0: as many as they like
    rate: RateLimit = RateLimit()
    acks: Acks | None = None  # the endpoint's account of them
    verifier: Verifier | None = None  # None: nobody has to say who it is
    auth_timeout: int = 5 * SECOND  # ns for the first message
    manners: Manners = MANNERS["trading-api"]
    orchestrator: Dialect | None = None  # what commands are answered in; None: the session's own
    of_strategies: bool = False  # a strategy's session that names none gets that strategy's
    roster: Roster | None = None  # of strategies; None: nobody runs any
