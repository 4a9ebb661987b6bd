"""The whole server: its parts are built, started and drained."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import uvloop

from fastrouter import config, log
from fastrouter.app import collector, descriptors
from fastrouter.app.address import elsewhere
from fastrouter.app.certificate import certificate_of
from fastrouter.app.control import open_control
from fastrouter.app.feeds import bookmark_of, supply_of
from fastrouter.app.serving import Serving
from fastrouter.app.stop import Stop
from fastrouter.app.verifier import verifier_of
from fastrouter.embed import Router
from fastrouter.errors import ConfigError
from fastrouter.feeds import Feed
from fastrouter.journal.bookmark import Bookmark
from fastrouter.journal.journal import Journal
from fastrouter.net.certificate import Certificate
from fastrouter.net.server import Server

if TYPE_CHECKING:
    from fastrouter.control.port import Port

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
        journal = afterwards.enter_context(_journal(settings.journal))
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
        server = await _listen(router, settings, certificate)
        supply.on_state = server.upstream
        supply.on_gap = server.gap
        if bookmark is not None and journal.disk is not None:
            _announce_unknown(bookmark, server)
        afterwards.push_async_callback(server.close, 0)  # nothing, after the drain
        control = await open_control(settings, router, server)
        if control is not None:
            afterwards.push_async_callback(control.close)
        if settings.server.stale_seconds:
            afterwards.callback(router.watch(settings.server.stale_seconds).close)
        feeding = asyncio.create_task(supply.run(router), name="feed")
        try:
            descriptors.provide(settings.limits.connections)
            collector.settle()
            ready(_serving(settings.server, server, supply.feed, control))
            await _until(stop, feeding, exit_when_done)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            drained = await _drain(server, settings.server.grace_seconds, stop)
    if not feeding.cancelled():
        feeding.result()
    return drained


def _announce_unknown(bookmark: Bookmark, server: Server) -> None:
    """Who resumes over a restart is told when what was missed meanwhile cannot be asked for."""
    if bookmark.position is None and server.router.last_id:
        server.gap("it is not known how far the upstream was relayed before the restart")


def _journal(journal: config.Journal) -> Journal:
    """The configured journal. Raises ConfigError."""
    return Journal(
        journal.path, max_age=journal.max_age_seconds, max_bytes=journal.max_bytes, fresh=True
    )


async def _listen(
    router: Router, settings: config.Settings, certificate: Certificate | None
) -> Server:
    server, limits = settings.server, settings.limits
    options = {} if server.subscriptions is None else {"subscriptions": server.subscriptions}
    try:
        return await router.serve(
            server.host,
            server.port,
            dialect=server.dialect,
            path=server.paths,
            decimals=server.decimals,
            heartbeat=server.heartbeat_seconds,
            default_timeframe=server.default_timeframe,
            max_message_bytes=server.max_message_bytes,
            handshake_seconds=server.handshake_seconds,
            allowed_origins=server.allowed_origins,
            trusted_proxies=server.trusted_proxies,
            verifier=verifier_of(settings.auth),
            auth_seconds=settings.auth.first_message_seconds,
            connections=limits.connections,
            connections_per_address=limits.connections_per_address,
            max_subscriptions=limits.subscriptions,
            messages_per_minute=limits.messages_per_minute,
            header_bytes=limits.header_bytes,
            ssl_context=certificate.context if certificate is not None else None,
            **options,
        )
    except ConfigError as error:
        raise elsewhere(error, "--port or --host", "server.port") from None


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


async def _drain(server: Server, grace: float, stop: Stop) -> bool:
    logger.info("draining", sessions=server.sessions, grace_seconds=grace)
    draining = asyncio.create_task(server.close(grace), name="drain")
    at_once = asyncio.create_task(stop.at_once.wait(), name="stop at once")
    await asyncio.wait([draining, at_once], return_when=asyncio.FIRST_COMPLETED)
    in_time = draining.done()
    if not in_time:
        server.abort()
    at_once.cancel()
    cut = await draining
    logger.info("stopped", drained=not cut, cut=cut)
    return in_time  # who did not read for the whole grace is no failure of ours


def _serving(settings: config.Server, server: Server, feed: Feed, control: Port | None) -> Serving:
    return Serving(
        settings.host,
        server.port,
        settings.paths,
        settings.dialect,
        feed.describe(),
        secure=settings.cert is not None,
        control=control.url if control is not None else None,
    )
