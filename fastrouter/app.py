"""The composition root: builds the parts from the configuration, starts them, drains them."""

from __future__ import annotations

import asyncio
import gc
import math
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import uvloop

from fastrouter import config, log
from fastrouter.embed import Router
from fastrouter.errors import ConfigError
from fastrouter.feeds import Feed, open_feed
from fastrouter.feeds.progress import Progress, terminal_progress
from fastrouter.feeds.supply import Supply
from fastrouter.journal.journal import Journal
from fastrouter.net.certificate import Certificate
from fastrouter.net.registry import Registry
from fastrouter.net.server import Server
from fastrouter.session.auth import Verifier

if TYPE_CHECKING:
    from fastrouter.control.port import Port

__all__ = ["Serving", "feed_of", "run", "serve", "verifier_of"]

logger = structlog.stdlib.get_logger("fastrouter.app")

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Feeds whose events are of the moment they are published.
LIVE = frozenset({"synthetic", "ws", "wss"})
#: Objects between two collections of the youngest generation, and how many of those make an
#: older one. The hot path makes no cycles, so looking for them often buys nothing.
GC_THRESHOLDS = (50_000, 50, 100)


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs, for whoever wants to tell people: URLs by dialect, and the feed in a line."""

    host: str
    port: int
    paths: tuple[str, ...]
    dialect: str
    feed: str
    secure: bool = False
    control: str | None = None  # the control port's URL

    @property
    def urls(self) -> list[str]:
        """Every WebSocket endpoint."""
        scheme = "wss" if self.secure else "ws"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [f"{scheme}://{host}:{self.port}{path}" for path in self.paths]


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
    end of the feed ends the server too. Returns whether every session was
    drained: a second signal cuts that short. Raises ConfigError for what
    cannot be started, FeedError when the feed fails.
    """
    log.configure(settings.log)
    return run(_serve(settings, exit_when_done, ready))


def feed_of(feed: config.Feed, progress: Progress | None = None) -> Feed:
    """The configured feed; one that ends tells ``progress``. Raises FeedError or ConfigError."""
    options = FEED_OPTIONS.get(feed.name)
    spec, arguments = options(feed, progress) if options is not None else (feed.spec, {})
    return open_feed(spec, **arguments)


def verifier_of(auth: config.Auth) -> Verifier | None:
    """What checks the configured tokens; None with auth off. Raises ConfigError."""
    if not auth.enabled:
        return None
    secret = None if auth.secret is None else auth.secret.get_secret_value().encode()
    if auth.secret_file is not None:
        secret = _key_file("secret_file", auth.secret_file).rstrip(b"\r\n")
    public_key = None
    if auth.public_key is not None:
        public_key = _key_file("public_key", auth.public_key)
    return Verifier(
        secret=secret,
        public_key=public_key,
        algorithms=auth.algorithms,
        issuer=auth.issuer,
        audience=auth.audience,
        key_id=auth.key_id,
        leeway=auth.leeway_seconds,
    )


def _key_file(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"auth.{name} = {str(file)!r} cannot be read: {error.strerror}") from None


async def _serve(
    settings: config.Settings, exit_when_done: bool, ready: Callable[[Serving], None]
) -> bool:
    stop = Stop()
    supply = _supply(settings)
    certificate = _certificate(settings.server)
    async with AsyncExitStack() as afterwards:
        journal = afterwards.enter_context(_journal(settings.journal))
        router = Router(
            outbox_bytes=settings.server.outbox_bytes,
            total_bytes=settings.limits.total_bytes,
            journal=journal,
        )
        server = await _listen(router, settings, certificate)
        supply.on_state = server.upstream
        afterwards.push_async_callback(server.close, 0)  # nothing, after the drain
        control = await _open_control(settings, router, server)
        if control is not None:
            afterwards.push_async_callback(control.close)
        if settings.server.stale_seconds:
            afterwards.callback(router.watch(settings.server.stale_seconds).close)
        feeding = asyncio.create_task(supply.run(router), name="feed")
        try:
            _settle_collector()
            ready(_serving(settings.server, server, supply.feed, control))
            await _until(stop, feeding, exit_when_done)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
            drained = await _drain(server, settings.server.grace_seconds, stop)
    if not feeding.cancelled():
        feeding.result()
    return drained


def _journal(journal: config.Journal) -> Journal:
    """The configured journal. Raises ConfigError."""
    return Journal(journal.path, max_age=journal.max_age_seconds, max_bytes=journal.max_bytes)


def _supply(settings: config.Settings) -> Supply:
    progress = terminal_progress() if settings.log.format == "console" else None
    return Supply(
        lambda: feed_of(settings.feed, progress),
        retry_seconds=settings.feed.retry_seconds,
        report=_report,
    )


def _report(feed: Feed, outcome: str, seconds: float) -> None:
    """Log how a run of a feed went."""
    logger.info(
        outcome,
        feed=feed.describe(),
        published=feed.published,
        candles=feed.candles,
        bad_rows=feed.bad_rows,
        seconds=round(seconds, 3),
    )


def _certificate(server: config.Server) -> Certificate | None:
    """The certificate to serve with, read again at each SIGHUP; None for plain ``ws://``."""
    if server.cert is None:
        return None
    certificate = Certificate(server.cert, server.key or server.cert)

    def renew() -> None:
        try:
            certificate.reload()
        except ConfigError as error:
            logger.error("certificate not renewed: the old one stays", reason=str(error))
        else:
            logger.info("certificate renewed", cert=str(certificate.cert))

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)
    return certificate


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
        raise _elsewhere(error, "--port or --host", "server.port") from None


async def _open_control(settings: config.Settings, router: Router, server: Server) -> Port | None:
    """The control port, None when it is turned off or its libraries are not installed."""
    if not settings.control.enabled:
        return None
    try:
        from fastrouter.control.api import build
        from fastrouter.control.guard import Guard
        from fastrouter.control.metrics import Metrics, registry
        from fastrouter.control.port import Port
    except ImportError as error:
        logger.warning(
            "no control port: its libraries are not installed",
            missing=error.name,
            install="pip install 'fastrouter[server]'",
        )
        return None
    metrics = Metrics(
        router.counters,
        [server],
        journal=router.journal.counters,
        last_event=router.last_event_time if settings.feed.name in LIVE else None,
        now=time.time_ns,
    )
    guard = Guard(server.endpoint.verifier, time.time)
    app = build(Registry([server]), registry(metrics), guard)
    try:
        return await Port.open(app, settings.control.host, settings.control.port)
    except ConfigError as error:
        options = "--control-port, or none with --no-control"
        raise _elsewhere(error, options, "control.port") from None


def _elsewhere(error: ConfigError, options: str, key: str) -> ConfigError:
    """The same error; of an address that cannot be had it says what to set."""
    if error.code != "ADDRESS_UNAVAILABLE":
        return error
    variable = f"FASTROUTER_{key.replace('.', '__').upper()}"
    return ConfigError(
        f"{error}; choose another with {options} ({variable}, {key} in the file)", code=error.code
    )


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
    drained = draining.done()
    if not drained:
        server.abort()
    at_once.cancel()
    await draining
    logger.info("stopped", drained=drained)
    return drained


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


def _settle_collector() -> None:
    """Keep the cyclic collector off the hot path.

    What exists now (modules, tables, the loop) lives as long as the process:
    freezing it spares every later collection from walking it, and a full
    collection of an interpreter with our libraries takes tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


class Stop:
    """What signals ask for: the first to stop, the second to stop at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        if self.asked.is_set():
            self.at_once.set()
        self.asked.set()


# ---- how each feed is opened: its spec and options


def _synthetic(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    chosen = feed.synthetic
    return feed.spec, {
        "symbols": chosen.symbols,
        "rate": _bounded(chosen.rate),
        "seed": chosen.seed,
        "candles": feed.candles,
    }


def _replay(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    chosen = feed.replay
    file = feed.spec.partition(":")[2] or chosen.file
    if not file:
        raise ConfigError(
            "feed.spec = 'replay' names no file; write replay:FILE, or set feed.replay.file"
        )
    options = {
        "kind": None if chosen.kind == "auto" else chosen.kind,
        "symbol": chosen.symbol,
        "timeframe": chosen.timeframe,
        "columns": chosen.columns or None,
        "speed": _bounded(chosen.speed),
        "loop": chosen.loop,
        "strict": chosen.strict,
        "candles": feed.candles,
        "progress": progress,
    }
    return f"replay:{file}", options


def _upstream(feed: config.Feed, progress: Progress | None) -> tuple[str, dict[str, Any]]:
    chosen = feed.upstream
    return feed.spec, {
        "subscriptions": chosen.subscriptions,
        "token": None if chosen.token is None else chosen.token.get_secret_value(),
        "conflate": chosen.conflate,
        "cafile": chosen.cafile,
    }


def _bounded(value: float) -> float | None:
    """None, which feeds take for "as fast as possible", instead of infinity."""
    return None if math.isinf(value) else value


FEED_OPTIONS: dict[str, Callable[[config.Feed, Progress | None], tuple[str, dict[str, Any]]]] = {
    "synthetic": _synthetic,
    "replay": _replay,
    "ws": _upstream,
    "wss": _upstream,
}
