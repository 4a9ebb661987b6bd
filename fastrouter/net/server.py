"""A listening endpoint: accepts connections, gives each a session, drains them at the end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from fastrouter.errors import CloseCode, ConfigError, MessageError
from fastrouter.journal.journal import Journal
from fastrouter.net import handshake
from fastrouter.net.door import Door
from fastrouter.net.drain import Drain
from fastrouter.net.listener import Listener
from fastrouter.net.protocol import HEADER_BYTES, Protocol
from fastrouter.net.wheel import Wheel
from fastrouter.session.acks import Acks
from fastrouter.session.admission import Crowd, Origins, Proxies
from fastrouter.session.effects import Authenticated, Close, Command, Effect, Rejected, Resume
from fastrouter.session.limits import rate_limit
from fastrouter.session.manners import manners
from fastrouter.session.session import Rules, Session, State
from fastrouter.session.strategies import NoStrategies, Strategies
from fastrouter.session.subscriptions import DEFAULT, Subscription, parse

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.core.router import Router
    from fastrouter.journal.replay import Replay
    from fastrouter.session.auth import Verifier

__all__ = ["Endpoint", "Server"]

BACKLOG = 4096  # connections the kernel queues while a fleet arrives at once
ABNORMAL = 1006  # what RFC 6455 calls the end of a connection without a close frame
CLOSE_SECONDS = 2.0  # for the peer to answer a close frame


class Endpoint(NamedTuple):
    """Where a server listens and what it serves there."""

    host: str = "127.0.0.1"
    port: int = 8082
    paths: tuple[str, ...] = ("/", "/ws")
    subscriptions: str | None = None  # of who names none; None: what its dialect's manners say
    heartbeat: float = 15.0  # s
    default_timeframe: str = "1m"
    max_message_bytes: int = 64 * 1024
    handshake_seconds: float = 5.0
    ssl_context: ssl.SSLContext | None = None  # None: plain
    verifier: Verifier | None = None  # None: nobody has to say who it is
    auth_seconds: float = 5.0  # for a first message, when the handshake had no token
    allowed_origins: tuple[str, ...] = ()  # none: all
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For is believed
    connections: int = 0  # in all; 0 is no limit, here and below
    connections_per_address: int = 0
    max_subscriptions: int = 1000  # a session
    messages_per_minute: int | Mapping[str, int] | None = None  # by dialect; None: its own row
    header_bytes: int = HEADER_BYTES  # of a request, its first line included

    def check(self) -> None:
        """Raise ConfigError for what no server can be."""
        if not self.paths or not all(path.startswith("/") for path in self.paths):
            raise ConfigError(f"paths are {self.paths!r}; allowed: one or more, each from '/' on")
        for name in ("heartbeat", "max_message_bytes", "handshake_seconds", "auth_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; allowed: above 0")
        for name in ("connections", "connections_per_address", "max_subscriptions"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; allowed: 0 (none) or above")
        if not 0 < self.header_bytes <= HEADER_BYTES:
            raise ConfigError(f"header_bytes is {self.header_bytes}; allowed: 1 to {HEADER_BYTES}")

    def rules(self, dialect: str, acks: Acks) -> Rules:
        """What holds for its sessions. Raises SubscriptionError for its subscriptions."""
        messages = self.messages_per_minute
        if isinstance(messages, Mapping):
            messages = messages.get(dialect)
        return Rules(
            heartbeat=int(self.heartbeat * 1e9),
            default_timeframe=self.default_timeframe,
            subscriptions=self._default(),
            max_subscriptions=self.max_subscriptions,
            rate=rate_limit(dialect, messages),
            acks=acks,
            verifier=self.verifier,
            auth_timeout=int(self.auth_seconds * 1e9),
            manners=manners(dialect),
        )

    def _default(self) -> tuple[Subscription, ...] | None:
        text = DEFAULT if self.subscriptions is None else self.subscriptions
        found = tuple(parse(text, self.default_timeframe))
        return None if self.subscriptions is None else found

    def tls(self) -> dict[str, Any]:
        """What the loop needs to serve TLS; nothing for a plain endpoint."""
        if self.ssl_context is None:
            return {}
        return {
            "ssl": self.ssl_context,
            "ssl_handshake_timeout": self.handshake_seconds,
            "ssl_shutdown_timeout": CLOSE_SECONDS,
        }


class Server:
    """One endpoint of a router. Made by `start`; `close` drains it."""

    def __init__(self, router: Router, dialect: Dialect, endpoint: Endpoint) -> None:
        self.router = router
        self.dialect = dialect
        self.endpoint = endpoint
        self.max_message_bytes = endpoint.max_message_bytes
        self.close_seconds = CLOSE_SECONDS
        self.log = logging.getLogger("fastrouter.net")
        self.loop = asyncio.get_running_loop()
        self.quiet = _Quiet(self.log)
        self.acks = Acks(router.published_at, router.timer)
        self.rules = endpoint.rules(dialect.name, self.acks)
        self.origins = Origins(endpoint.allowed_origins)
        self.proxies = Proxies(endpoint.trusted_proxies)
        self.crowd = Crowd(endpoint.connections, endpoint.connections_per_address)
        self.accepted = 0
        self.turned_away = 0  # connections cut at once: too many, from their address or in all
        self.unfinished = 0  # connections lost before their request was whole
        self.refusals: Counter[int] = Counter()  # by HTTP status
        self.rejections: Counter[str] = Counter()  # messages, by error code
        self.closes: Counter[int] = Counter()  # by the close code we sent; 1006 is none
        self.draining: Drain | None = None
        self.fed = True  # is there a feed upstream?
        self.commands: Strategies = NoStrategies()
        self.on_begin: Callable[[Session], object] | None = None  # a session is live, or resumes
        self.missed: tuple[int, str] = (0, "")  # the newest id at the feed's last gap, and why
        self._listeners: set[Listener] = set()
        self._replays: dict[Listener, Replay] = {}  # of sessions that are not live yet
        self._wheel: Wheel[Listener] = Wheel(
            self.loop, self._due, grain=min(0.1, endpoint.heartbeat / 20)
        )
        self._server: asyncio.Server | Door | None = None
        self._closed: asyncio.Future[int] | None = None

    @classmethod
    async def start(cls, router: Router, dialect: Dialect, endpoint: Endpoint) -> Server:
        """Listen. Raises ConfigError for an address out of reach or a malformed subscription."""
        endpoint.check()
        try:
            server = cls(router, dialect, endpoint)
        except ValueError as error:
            raise ConfigError(str(error), code=getattr(error, "code", None)) from None
        try:
            server._server = await server._open()
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"cannot listen on {endpoint.host}:{endpoint.port}: {error}",
                code="ADDRESS_UNAVAILABLE",
            ) from None
        return server

    async def _open(self) -> asyncio.Server | Door:
        host, port, tls = self.endpoint.host, self.endpoint.port, self.endpoint.tls()
        if tls:
            return await Door.open(self, host, port, backlog=BACKLOG, **tls)
        return await self.loop.create_server(lambda: Protocol(self), host, port, backlog=BACKLOG)

    @property
    def port(self) -> int:
        """The port it listens on; the one the kernel chose when 0 was asked for."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._listeners)

    @property
    def listeners(self) -> Collection[Listener]:
        """The connections of all open sessions, in no order."""
        return self._listeners

    def now(self) -> int:
        """The monotonic clock of sessions, ns."""
        return int(self.loop.time() * 1e9)

    # -------------------------------------------------------------- handshake

    def address_of(self, peer: object) -> str:
        """The address of a connection, by its peer's name as a socket tells it."""
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        return self.proxies.client(address, [])

    def lets_in(self, address: str) -> bool:
        """Judge a new connection before it says a word; who gets in is counted in the crowd.

        So nobody holds more than its share, silent or not. Whom a trusted proxy
        brings is judged by its request, which names it. Of all together a few
        more than the limit get in: to be told that it is full.
        """
        shared = self.crowd.has_its_share(address) and not self.proxies.trust(address)
        if shared or self.crowd.overrun:
            self.turned_away += 1
            return False
        self.crowd.enter(address)
        return True

    def asked(self, connection: Protocol, upgrade: Any) -> Any:
        """What picows calls with each request: a listener, or the response that refuses."""
        forwarded = upgrade.headers.getall("X-Forwarded-For", [])
        connection.comes_from(self.proxies.client(connection.address, forwarded))
        try:
            request = handshake.read(upgrade, connection.address)
        except ValueError as error:
            return self.refuse(
                handshake.Refused(HTTPStatus.BAD_REQUEST, f"malformed request target: {error}")
            )
        try:
            arrival = handshake.admit(self, request)
        except handshake.Refused as refused:
            if refused.status == HTTPStatus.UNAUTHORIZED:
                self.log.info("refused %s: %s %s", request.address, refused.code, refused)
            return self.refuse(refused)
        return handshake.healthy() if arrival is None else Listener(self, arrival)

    def refuse(self, refused: handshake.Refused) -> Any:
        """Count a refusal; returns the response."""
        self.refusals[refused.status] += 1
        return handshake.refusal(refused)

    @property
    def refused(self) -> int:
        """How many requests got no session."""
        return self.refusals.total()

    @property
    def rejected(self) -> int:
        """How many messages were answered with an error."""
        return self.rejections.total()

    # ------------------------------------------- what a listener tells us

    def connected(self, listener: Listener, arrival: handshake.Arrival) -> Session:
        """A connection is open: the session it gets. The caller keeps it, then calls `begin`."""
        session = Session(
            f"ses_{secrets.token_hex(8)}",
            listener.outbox,
            self.router.clock,
            self.rules,
            self.now(),
            arrival.grant,
        )
        self.accepted += 1
        self._listeners.add(listener)
        self._schedule(listener, session)
        return session

    def begin(self, listener: Listener, arrival: handshake.Arrival) -> None:
        """Welcome the client and begin what its request asked for."""
        self.apply(listener, listener.session.open(arrival.opening, self.router.last_id))
        self._begun(listener.session)

    def disconnected(self, listener: Listener) -> None:
        """A connection is lost; its outbox is closed already."""
        self._listeners.discard(listener)
        self._wheel.cancel(listener)
        if replay := self._replays.pop(listener, None):
            replay.cancel()
        ending = listener.transport.close_handshake
        said = ending.sent if ending is not None else None
        code = int(said.code) if said is not None else ABNORMAL  # type: ignore[call-overload]
        self.closes[code] += 1

    def apply(self, listener: Listener, effect: Effect) -> None:
        """Do what a session decided, and look after it at its new deadline."""
        if effect is not None:
            EFFECTS[type(effect)](self, listener, effect)
            if not isinstance(effect, Close):
                self._schedule(listener, listener.session)

    def _close(self, listener: Listener, effect: Close) -> None:
        listener.close(effect.code, effect.reason)

    def _reject(self, listener: Listener, effect: Rejected) -> None:
        self.rejections[effect.code] += 1
        self.log.info("rejected a message: %s %s", effect.code, effect.reason)

    def _authenticated(self, listener: Listener, effect: Authenticated) -> None:
        self.log.info("%s is %s", listener.session.id, effect.subject)
        if effect.resume is not None:
            self._resume(listener, effect.resume)
        self._begun(listener.session)

    def _command(self, listener: Listener, effect: Command) -> None:
        session = listener.session
        try:
            self.commands.command(session, effect.name, effect.fields)
        except MessageError as error:
            self._reject(listener, session.refuse(error))

    def _begun(self, session: Session) -> None:
        """Tell it what others were told before it came."""
        if not self.fed:
            session.upstream(False)
        if self.on_begin is not None and session.state is State.LIVE:
            self.on_begin(session)

    def _resume(self, listener: Listener, effect: Resume) -> None:
        """Replay what the journal has; who asks again gets what it asked for last."""
        gap = partial(self._missing, listener)
        after, reason = self.missed
        if after and effect.since <= after:
            gap(reason)
        if not isinstance(self.router.recorder, Journal):
            gap("no event is kept here; you are live")
            listener.outbox.go_live()
            return
        if replay := self._replays.get(listener):
            replay.cancel()
        self._replays[listener] = self.router.recorder.replay(
            listener.outbox, effect.since, gap, partial(self._replay_failed, listener)
        )

    def _replay_failed(self, listener: Listener) -> None:
        listener.close(CloseCode.INTERNAL_ERROR, "replay failed")

    def _missing(self, listener: Listener, reason: str) -> None:
        self.log.info("%s resumes with a gap: %s", listener.session.id, reason)
        listener.session.gap(reason)

    def drained(self, listener: Listener) -> None:
        """A held session has nothing more to send: more of its replay, if there is."""
        if replay := self._replays.get(listener):
            replay.drained()

    def _schedule(self, listener: Listener, session: Session) -> None:
        self._wheel.schedule(listener, session.deadline / 1e9)

    def _due(self, listener: Listener) -> None:
        session = listener.session
        effect = session.tick(self.now())
        self.apply(listener, effect)
        if effect is None:
            self._schedule(listener, session)

    # --------------------------------------------------------------- upstream

    def upstream(self, connected: bool) -> None:
        """The feed is lost (False), or back (True): tell every session, those to come too."""
        if connected == self.fed:
            return
        self.fed = connected
        self.log.info("the feed is %s", "back" if connected else "lost")
        for listener in self._listeners:
            listener.session.upstream(connected)

    def gap(self, reason: str) -> None:
        """The feed has missed events: tell every session, and who resumes from before."""
        self.missed = (self.router.last_id, reason)
        self.log.warning("the feed has a gap: %s", reason)
        for listener in self._listeners:
            listener.session.gap(reason)

    # ------------------------------------------------------------------ drain

    async def close(self, grace: float = 10.0) -> int:
        """Tell every client, flush, close with 1001, within `grace` seconds; then stop listening.

        Newcomers are refused with 503 meanwhile. Who has not taken its bytes by
        the end is cut off; returns how many were, 0 when all were drained. See
        `fastrouter.net.drain`.
        """
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._drain(grace))
        return await self._closed

    async def _drain(self, grace: float) -> int:
        assert self._server is not None
        self.draining = Drain(self._listeners, grace, now=self.loop.time)
        for listener in self._listeners:
            listener.session.drain()
        try:
            await self.draining.run()
        finally:
            self._server.close()
            self._wheel.close()
        while self._listeners:  # noqa: ASYNC110 -- picows reports each cut in a turn of its own
            await asyncio.sleep(0)
        return self.draining.cut

    def abort(self) -> None:
        """Cut every session off now; a `close` that is under way ends at once, and counts them."""
        if self.draining is not None:
            self.draining.cut_off()
        else:
            for listener in list(self._listeners):
                listener.abort()


EFFECTS: dict[type, Callable[[Server, Listener, Any], None]] = {
    Close: Server._close,
    Rejected: Server._reject,
    Resume: Server._resume,
    Authenticated: Server._authenticated,
    Command: Server._command,
}


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """picows's logger: its lines about single peers are ours to write, or not worth one.

    An adapter, because for a plain logger picows makes a child per connection.
    """

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(log, {})

    def isEnabledFor(self, level: int) -> bool:
        """No debug lines at all: they hold requests, and those hold tokens."""
        return level > logging.DEBUG and super().isEnabledFor(level)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        pass

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.logger.info(msg, *args)
