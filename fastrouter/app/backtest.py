"""The backtests that are configured."""

from __future__ import annotations

from collections.abc import Iterable

from fastrouter import config
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.host import Engine, Options
from fastrouter.errors import ConfigError, FeedError
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.route import Route

__all__ = ["catalog_of", "engine_of", "within"]


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


def catalog_of(section: config.Backtest) -> Catalog | None:
    """The folder that is configured; None: there is none. Raises ConfigError."""
    try:
        return None if section.data is None else Catalog(section.data)
    except FeedError as error:
        raise ConfigError(f"backtest.data: {error}") from None


def within(engine: Engine, routes: Iterable[Route]) -> tuple[Route, ...]:
    """The same routes, whose sessions are in runs of that engine."""
    return tuple(route._replace(venue=engine) for route in routes)
