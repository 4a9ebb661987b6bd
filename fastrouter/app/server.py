"""The whole server: its parts are built, started and drained."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import structlog
import uvloop

from fastrouter import config, log
from fastrouter.app import collector, descriptors, realtime
from fastrouter.app.backtest import tell_choice
from fastrouter.app.bus import Bus
from fastrouter.app.certificate import certificate_of
from fastrouter.app.control import Trading, open_control
from fastrouter.app.feeds import bookmark_of, supply_of
from fastrouter.app.jobs import Backtests
from fastrouter.app.ports import Ports
from fastrouter.app.serving import Serving, serving_of
from fastrouter.app.stop import Stop
from fastrouter.app.store import open_journal, open_store
from fastrouter.app.strategies import Orchestrator
from fastrouter.app.trading import open_desk
from fastrouter.control.leftovers import end_leftovers
from fastrouter.control.strategies.venue import BotVenue
from fastrouter.embed import Router
from fastrouter.journal.bookmark import Bookmark
from fastrouter.net.group import Group

__all__ = ["run", "serve"]

logger = structlog.stdlib.get_logger("fastrouter.app")

T = TypeVar("T")

LOOPBACK = frozenset({"localhost", "::1"})


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new uvloop, and leave nothing behind."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def serve(
    settings: config.Settings,
    *,
    exit_when_done: bool = False,
    ready: Callable[[Serving], None] = lambda serving: None,
) -> bool:
    """Serve until SIGINT or SIGTERM; then tell the sessions, flush and close within the grace.

    ``ready`` is called once all endpoints accept. With ``exit_when_done`` the
    end of the feed ends the server too. Returns whether the drain was left to
    end: who takes no bytes is cut off when the grace is over, which the log
    tells, all that are left by a second signal: False then. Raises ConfigError for what cannot be
    started, FeedError when the feed fails.
    """
    log.configure(settings.log)
    _warn_of_open_ports(settings)
    return run(_serve(settings, exit_when_done, ready))


def _warn_of_open_ports(settings: config.Settings) -> None:
    """Say when anybody out there may come in."""
    if settings.auth.enabled:
        return
    hosts = {"server": settings.server.host}
    hosts |= {name: settings.server.host for name, _ in settings.ports.served()}
    if settings.control.enabled:
        hosts["control"] = settings.control.host
    for port, host in hosts.items():
        if host not in LOOPBACK and not host.startswith("127."):
            logger.warning("open to anybody: no auth is configured", port=port, host=host)


async def _serve(
    settings: config.Settings, exit_when_done: bool, ready: Callable[[Serving], None]
) -> bool:
    stop = Stop()
    certificate = certificate_of(settings.server)
    async with AsyncExitStack() as afterwards:
        database = open_store(settings.store)
        afterwards.push_async_callback(database.close)
        await asyncio.to_thread(end_leftovers, database.identity)  # before they can reach us
        journal = afterwards.enter_context(open_journal(settings.journal, database))
        bookmark = bookmark_of(settings.feed, journal)
        supply = supply_of(settings, bookmark)
        router = Router(
            outbox_bytes=settings.server.outbox_bytes,
            total_bytes=settings.limits.total_bytes,
            journal=journal,
            candles=settings.feed.candles,
            price=settings.feed.price,
            statistics=True,
        )
        bus = Bus(router, settings.bus)
        afterwards.push_async_callback(bus.close)
        venue = BotVenue(router)
        desk = await open_desk(router, database, settings.broker, venue)
        afterwards.push_async_callback(desk.close)
        ports = Ports(router, settings, certificate)
        ports.parts.live = desk
        orchestrator = Orchestrator(ports, database, desk, venue.tally)
        venue.bot = orchestrator.registry.running_now
        afterwards.push_async_callback(orchestrator.close)
        backtests = Backtests(ports, database)
        afterwards.push_async_callback(backtests.close)
        afterwards.push_async_callback(ports.close)  # nothing, after the drain
        await ports.open()
        if ports.engine is not None:
            tell_choice(ports.engine)
        supply.on_state = ports.group.upstream
        supply.on_gap = ports.group.gap
        if bookmark is not None and journal.resumes:
            _announce_unknown(bookmark, ports.group)
        trading = Trading(desk, venue.tally, orchestrator.registry, backtests.jobs)
        control = await open_control(settings, router, ports.group, bus, trading)
        if control is not None:
            afterwards.push_async_callback(control.close)
        if settings.server.stale_seconds:
            afterwards.callback(router.watch(settings.server.stale_seconds).close)
        feeding = asyncio.create_task(supply.run(bus.router_for(settings.feed.name)), name="feed")
        bus.start()
        try:
            if settings.server.realtime:
                realtime.take()
            await orchestrator.open()
            await backtests.open()
            descriptors.provide(settings.limits.connections)
            collector.settle()
            ready(serving_of(ports, supply.feed, control, bus))
            await _until(stop, feeding, exit_when_done)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            await bus.stop()
            await asyncio.gather(orchestrator.close(stop.at_once), backtests.close(stop.at_once))
            await desk.close()  # what it still has to say, sessions are sent before they are closed
            drained = await _drain(ports.group, settings.server.grace_seconds, stop)
    if not feeding.cancelled():
        feeding.result()
    return drained


def _announce_unknown(bookmark: Bookmark, group: Group) -> None:
    """Who resumes over a restart is told when what was missed meanwhile cannot be asked for."""
    if bookmark.position is None and group.router.last_id:
        group.gap("it is not known how far the upstream was relayed before the restart")


async def _until(stop: Stop, feeding: asyncio.Task[None], exit_when_done: bool) -> None:
    """Return when it is time to drain: a signal came, or the feed failed, or ended and should."""
    asked = asyncio.create_task(stop.asked.wait(), name="stop")
    try:
        await asyncio.wait([asked, feeding], return_when=asyncio.FIRST_COMPLETED)
        feed_went_well = feeding.done() and feeding.exception() is None
        if feed_went_well and not exit_when_done:
            await asked
    finally:
        asked.cancel()


async def _drain(group: Group, grace: float, stop: Stop) -> bool:
    logger.info("draining", sessions=group.sessions, grace_seconds=grace)
    draining = asyncio.create_task(group.close(grace), name="drain")
    at_once = asyncio.create_task(stop.at_once.wait(), name="stop at once")
    await asyncio.wait([draining, at_once], return_when=asyncio.FIRST_COMPLETED)
    in_time = draining.done()
    if not in_time:
        group.abort()
    at_once.cancel()
    cut = await draining
    logger.info("stopped", drained=not cut, cut=cut)
    return in_time  # who did not read for the whole grace is no failure of ours
