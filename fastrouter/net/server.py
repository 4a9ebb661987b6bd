"""A listening endpoint: accepts connections, gives each a session, drains them at the end."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import picows

from fastrouter.errors import ConfigError, SubscriptionError
from fastrouter.net import handshake
from fastrouter.net.drain import Drain
from fastrouter.net.listener import Listener
from fastrouter.net.wheel import Wheel
from fastrouter.session.session import Close, Effect, Rejected, Rules, Session
from fastrouter.session.subscriptions import DEFAULT, parse

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.core.router import Router

__all__ = ["Endpoint", "Server"]

BACKLOG = 4096  # connections the kernel queues while a fleet arrives at once
READ_BUFFER = 1024  # bytes; picows grows it when a message needs more
CLOSE_SECONDS = 2.0  # for the peer to answer a close frame


class Endpoint(NamedTuple):
    """Where a server listens and what it serves there."""

    host: str = "127.0.0.1"
    port: int = 8082
    paths: tuple[str, ...] = ("/", "/ws")
    subscriptions: str = DEFAULT
    heartbeat: float = 15.0  # s
    default_timeframe: str = "1m"
    max_message_bytes: int = 64 * 1024
    handshake_seconds: float = 5.0
    ssl_context: ssl.SSLContext | None = None  # None: plain

    def check(self) -> None:
        """Raise ConfigError for what no server can be."""
        if not self.paths or not all(path.startswith("/") for path in self.paths):
            raise ConfigError(f"paths are {self.paths!r}; allowed: one or more, each from '/' on")
        for name in ("heartbeat", "max_message_bytes", "handshake_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; allowed: above 0")

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
        self.rules = Rules(int(endpoint.heartbeat * 1e9), endpoint.default_timeframe)
        self.accepted = 0
        self.refused = 0
        self.rejected = 0
        self.draining: Drain | None = None
        self.fed = True  # is there a feed upstream?
        self._default = parse(endpoint.subscriptions, endpoint.default_timeframe)
        self._listeners: set[Listener] = set()
        self._wheel: Wheel[Listener] = Wheel(
            self.loop, self._due, grain=min(0.1, endpoint.heartbeat / 20)
        )
        self._server: asyncio.Server | None = None
        self._closed: asyncio.Future[None] | None = None

    @classmethod
    async def start(cls, router: Router, dialect: Dialect, endpoint: Endpoint) -> Server:
        """Listen. Raises ConfigError for an address out of reach or a malformed subscription."""
        endpoint.check()
        try:
            server = cls(router, dialect, endpoint)
        except SubscriptionError as error:
            raise ConfigError(str(error), code=error.code) from None
        try:
            server._server = await picows.ws_create_server(
                server._handshake,
                endpoint.host,
                endpoint.port,
                websocket_handshake_timeout=endpoint.handshake_seconds,
                logger_name=_Quiet(server.log),
                enable_auto_pong=False,  # ours counts it as proof of life
                max_frame_size=endpoint.max_message_bytes,
                read_buffer_init_size=READ_BUFFER,
                use_aiofastnet=False,
                backlog=BACKLOG,
                **endpoint.tls(),
            )
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"cannot listen on {endpoint.host}:{endpoint.port}: {error}",
                code="ADDRESS_UNAVAILABLE",
            ) from None
        return server

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

    def now(self) -> int:
        """The monotonic clock of sessions, ns."""
        return int(self.loop.time() * 1e9)

    # -------------------------------------------------------------- handshake

    def _handshake(self, upgrade: picows.WSUpgradeRequest) -> Any:
        """What picows calls with each request: a listener, or the response that refuses."""
        try:
            request = handshake.read(upgrade)
        except ValueError as error:
            return self._refuse(HTTPStatus.BAD_REQUEST, f"malformed request target: {error}")
        if request.path == "/healthz" and self.draining is None:
            return handshake.healthy()
        if self.draining is not None:
            retry = {"Retry-After": str(math.ceil(self.draining.retry_after()))}
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "draining", retry)
        if request.path not in self.endpoint.paths:
            return self._refuse(
                HTTPStatus.NOT_FOUND,
                f"no such path: {request.path}; allowed: {', '.join(self.endpoint.paths)}",
            )
        if not request.upgrade:
            return self._refuse(HTTPStatus.UPGRADE_REQUIRED, "this is a WebSocket endpoint")
        dialect = request.parameter("dialect")
        if dialect not in (None, self.dialect.name):
            return self._refuse(
                HTTPStatus.BAD_REQUEST,
                f"dialect {dialect!r} is not spoken here; allowed: {self.dialect.name}",
            )
        return Listener(self, request.parameter("subscriptions"))

    def _refuse(
        self, status: HTTPStatus, reason: str, headers: dict[str, str] | None = None
    ) -> Any:
        self.refused += 1
        return handshake.refusal(status, reason, headers)

    # ------------------------------------------- what a listener tells us

    def connected(self, listener: Listener, subscriptions: str | None) -> Session:
        """A connection is open: begin its session with what its query asked for."""
        session = Session(
            f"ses_{secrets.token_hex(8)}",
            listener.outbox,
            self.router.clock,
            self.rules,
            self.now(),
        )
        wanted, error = self._default, None
        if subscriptions is not None:
            try:
                wanted = parse(subscriptions, self.rules.default_timeframe)
            except SubscriptionError as malformed:
                wanted, error = [], malformed
        session.open(wanted)
        if not self.fed:
            session.upstream(False)
        self.accepted += 1
        self._listeners.add(listener)
        self._wheel.schedule(listener, session.deadline / 1e9)
        if error is not None:
            self.apply(listener, session.reject(error))
        return session

    def disconnected(self, listener: Listener) -> None:
        """A connection is lost; its outbox is closed already."""
        self._listeners.discard(listener)
        self._wheel.cancel(listener)

    def apply(self, listener: Listener, effect: Effect) -> None:
        """Do what a session decided."""
        if isinstance(effect, Close):
            listener.close(effect.code, effect.reason)
        elif isinstance(effect, Rejected):
            self.rejected += 1
            self.log.info("rejected a message: %s %s", effect.code, effect.reason)

    def _due(self, listener: Listener) -> None:
        session = listener.session
        effect = session.tick(self.now())
        self.apply(listener, effect)
        if not isinstance(effect, Close):
            self._wheel.schedule(listener, session.deadline / 1e9)

    # --------------------------------------------------------------- upstream

    def upstream(self, connected: bool) -> None:
        """The feed is lost (False), or back (True): tell every session, those to come too."""
        if connected == self.fed:
            return
        self.fed = connected
        self.log.info("the feed is %s", "back" if connected else "lost")
        for listener in self._listeners:
            listener.session.upstream(connected)

    # ------------------------------------------------------------------ drain

    async def close(self, grace: float = 10.0) -> None:
        """Tell every client, flush, close with 1001, within `grace` seconds; then stop listening.

        Newcomers are refused with 503 meanwhile. Who has not taken its bytes by
        the end is cut off. See `fastrouter.net.drain`.
        """
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._drain(grace))
        await self._closed

    async def _drain(self, grace: float) -> None:
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

    def abort(self) -> None:
        """Cut every session off now; a `close` that is under way ends at once."""
        for listener in list(self._listeners):
            listener.abort()


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """picows's logger: its lines about single peers are ours to write, or not worth one.

    An adapter, because for a plain logger picows makes a child per connection.
    """

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(log, {})

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        pass

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.logger.info(msg, *args)
