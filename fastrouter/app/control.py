"""The control port, as it is configured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import structlog

from fastrouter import config
from fastrouter.app.address import elsewhere
from fastrouter.app.bus import Bus
from fastrouter.control.desk import Desk
from fastrouter.control.jobs.jobs import Jobs
from fastrouter.control.strategies import Registry as Strategies
from fastrouter.control.tally import Tally
from fastrouter.embed import Router
from fastrouter.errors import ConfigError
from fastrouter.net.group import Group
from fastrouter.net.registry import Registry

if TYPE_CHECKING:
    from fastrouter.control.port import Port

__all__ = ["Trading", "open_control"]

logger = structlog.stdlib.get_logger("fastrouter.app")

#: Feeds whose events are of the moment they are published.
LIVE = frozenset({"synthetic", "ws", "wss", "nng"})


class Trading(NamedTuple):
    """What is measured of it."""

    desk: Desk
    tally: Tally
    strategies: Strategies
    jobs: Jobs


async def open_control(
    settings: config.Settings, router: Router, group: Group, bus: Bus, trading: Trading
) -> Port | None:
    """The control port, None when it is turned off or its libraries are not installed."""
    if not settings.control.enabled:
        return None
    try:
        from fastrouter.control.api import build
        from fastrouter.control.bus_metrics import BusMetrics
        from fastrouter.control.guard import Guard
        from fastrouter.control.metrics import Metrics, registry
        from fastrouter.control.port import Port
        from fastrouter.control.trading_metrics import TradingMetrics
    except ImportError as error:
        logger.warning(
            "no control port: its libraries are not installed",
            missing=error.name,
            install="pip install 'fastrouter[server]'",
        )
        return None
    metrics = Metrics(
        router.counters,
        group.servers,
        journal=router.journal.counters,
        last_event=router.last_event_time if settings.feed.name in LIVE else None,
        stale=lambda: router.stale,
        now=time.time_ns,
    )
    found = registry(metrics)
    found.register(BusMetrics(bus.feed, bus.outlet))
    found.register(TradingMetrics(*trading))
    guard = Guard(group.admission.verifier, time.time)
    app = build(Registry(group.servers), found, guard)
    try:
        return await Port.open(app, settings.control.host, settings.control.port)
    except ConfigError as error:
        options = "--control-port, or none with --no-control"
        raise elsewhere(error, options, "control.port") from None
