"""Who takes orders live, as it is configured."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from fastrouter import config
from fastrouter.broker import Commission, Rules
from fastrouter.control import brokers
from fastrouter.control.brokers import OpenDesk
from fastrouter.control.database import Database
from fastrouter.control.terms import Terms
from fastrouter.control.venue import Venue
from fastrouter.embed import Router
from fastrouter.errors import ConfigError, StoreError

__all__ = ["open_desk", "terms_of"]


async def open_desk(
    router: Router, database: Database, settings: config.Broker, venue: Venue | None = None
) -> OpenDesk:
    """The configured desk, before sessions are served. The caller closes it. Raises ConfigError.

    `venue` is the router as it sees it, unless that is the router itself.
    """
    opener = brokers.load(settings.kind)
    try:
        return await opener(venue or router, database, terms_of(settings), router.journal.delivery)
    except (StoreError, sqlite3.Error) as error:
        raise ConfigError(f"store {database.path}: {error}") from None


def terms_of(settings: config.Broker) -> Terms:
    """Raises ConfigError."""
    rates: dict[str, Decimal | float | str] = {}
    rates.update(settings.commission.items())
    rules = Rules(
        commission=Commission(rates),
        shorting=settings.shorting,
        participation=settings.participation,
        session_end=settings.session_end_ns,
        collar=settings.collar,
        max_daily_loss=settings.max_daily_loss,
        at_once=True,
    )
    return Terms(settings.account, settings.cash, settings.currency, settings.mode, rules)
