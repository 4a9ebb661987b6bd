"""How a broker behaves: the options that hold for all of its orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from fastrouter.errors import ConfigError
from fastrouter.models.fields import decimal_text

from .commission import FREE, Commission

__all__ = ["DAY", "Rules"]

DAY = 86_400_000_000_000  # ns


@dataclass(frozen=True, slots=True)
class Rules:
    """Numbers may be any that a config has. Raises ConfigError for what cannot be."""

    commission: Commission = field(default=FREE)
    #: whether more may be sold than is held; a short position needs its value once more as cover
    shorting: bool = False
    #: of a bar's volume what an order's side may take; None: all that is ordered
    participation: Decimal | None = None
    #: when day orders expire and the day's loss begins anew: ns after midnight, UTC
    session_end: int = 0
    #: how much more than the last price is reserved for orders that take any, e.g. 0.02
    collar: Decimal = Decimal(0)
    #: loss of a day (equity) from which on no position is opened; None: none
    max_daily_loss: Decimal | None = None
    #: whether an order is met by the last quote of its symbol as it is accepted: live, where
    #: quotes may be far apart. In a backtest that would be the past: the next event it is.
    at_once: bool = False
    #: ended orders that are remembered, for queries and `client_order_id`; at least a minute's
    remember: int = 10_000

    def __post_init__(self) -> None:
        for name in ("participation", "collar", "max_daily_loss"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _decimal(name, value))
        checks = {
            "participation: above 0, up to 1": (
                self.participation is None or 0 < self.participation <= 1
            ),
            "session_end: 0 to a day of ns": 0 <= self.session_end < DAY,
            "collar: 0 to 1": 0 <= self.collar <= 1,
            "max_daily_loss: above 0": self.max_daily_loss is None or self.max_daily_loss > 0,
            "remember: 0 or more": self.remember >= 0,
        }
        for name, holds in checks.items():
            if not holds:
                raise ConfigError(f"broker: allowed for {name}")

    def next_session_end(self, now: int) -> int:
        """The first session end after `now`, ns."""
        return ((now - self.session_end) // DAY + 1) * DAY + self.session_end


def _decimal(name: str, value: object) -> Decimal:
    try:
        return Decimal(decimal_text(value))
    except ValueError as error:
        raise ConfigError(f"broker: {name}: {error}") from None
