"""The backtests that are configured."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from fastrouter import config
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.host import Engine, Options
from fastrouter.errors import ConfigError, FeedError
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.route import Route

__all__ = ["catalog_of", "engine_of", "tell_choice", "within"]

logger = structlog.stdlib.get_logger("fastrouter.app")

MOST_NAMED = 20  # data sets


def engine_of(settings: config.Settings) -> Engine:
    """The engine, over the folder that is configured. Raises ConfigError. The caller closes it."""
    section = settings.backtest
    engine = Engine(
        catalog_of(section),
        MonotonicClock(),
        Options(
            dataset=section.dataset,
            idle_seconds=section.idle_seconds,
            runs=section.runs,
            candles=settings.feed.candles,
            price=settings.feed.price,
            outbox_bytes=settings.server.outbox_bytes,
            cash=section.cash,
            commission={str(rate): number for rate, number in section.commission.items()},
            shorting=section.shorting,
        ),
    )
    if section.dataset is not None and section.dataset not in engine.names():
        there = ", ".join(engine.names()) or "none"
        why = engine.bad().get(section.dataset) or f"allowed: {there}"
        raise ConfigError(f"backtest.dataset = {section.dataset!r}: {why}")
    return engine


def tell_choice(engine: Engine) -> None:
    """Log that clients have to choose a data set, if they have: several, and none by default."""
    names = engine.names()
    if engine.options.dataset is not None or len(names) < 2:
        return
    more = " …" if len(names) > MOST_NAMED else ""
    logger.info(
        "several data sets for backtests, none by default: "
        "a client must say ?dataset=NAME, or serve --dataset NAME",
        datasets=", ".join(names[:MOST_NAMED]) + more,
    )


def catalog_of(section: config.Backtest) -> Catalog | None:
    """The folder that is configured; None: there is none. Raises ConfigError."""
    try:
        return None if section.data is None else Catalog(section.data)
    except FeedError as error:
        raise ConfigError(f"backtest.data: {error}") from None


def within(engine: Engine, routes: Iterable[Route]) -> tuple[Route, ...]:
    """The same routes, whose sessions are in runs of that engine."""
    return tuple(route._replace(venue=engine) for route in routes)
