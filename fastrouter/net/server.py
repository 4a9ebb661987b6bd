"""One port: accepts connections, gives each a session by its route, looks after them."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from fastrouter.errors import ConfigError, MessageError
from fastrouter.net import handshake
from fastrouter.net.door import Door
from fastrouter.net.drain import Drain
from fastrouter.net.endpoint import CLOSE_SECONDS, Endpoint
from fastrouter.net.leaving import leave
from fastrouter.net.listener import Listener
from fastrouter.net.protocol import Protocol
from fastrouter.net.quiet import Quiet
from fastrouter.net.resuming import Resuming
from fastrouter.net.route import Routes
from fastrouter.net.terms import Book
from fastrouter.net.wheel import Wheel
from fastrouter.session.acks import Acks
from fastrouter.session.effects import Authenticated, Close, Command, Effect, Rejected, Resume
from fastrouter.session.seated import Seated
from fastrouter.session.session import Session, State

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.net.group import Group

__all__ = ["Server", "Speaks"]

BACKLOG = 4096  # connections the kernel queues while a fleet arrives at once
ORCHESTRATOR = "orchestrator"  # the dialect that strategies are talked about in
ABNORMAL = 1006  # what RFC 6455 calls the end of a connection without a close frame

#: makes what a new connection is met with; the address is that of one that was let in already
Speaks = Callable[["Server", str | None], asyncio.BaseProtocol]


class Server:
    """One port of a router. Made by `start`; `close` drains it."""

    def __init__(self, group: Group, endpoint: Endpoint) -> None:
        self.group = group
        self.router = group.router
        self.endpoint = endpoint
        self.max_message_bytes = endpoint.max_message_bytes
        self.close_seconds = CLOSE_SECONDS
        self.log = logging.getLogger("fastrouter.net")
        self.loop = asyncio.get_running_loop()
        self.quiet = Quiet(self.log)
        self.acks = Acks(self.router.published_at, self.router.timer)
        self.origins = group.origins
        self.proxies = group.proxies
        self.crowd = group.crowd
        self.routes = Routes(endpoint.routes)
        commanded = ORCHESTRATOR in group.shelf.names
        orchestrator = self._speak(ORCHESTRATOR) if commanded else None
        self.book = Book(
            endpoint, group.admission, self.acks, self._speak, orchestrator, group.roster
        )
        for route in self.routes:
            self.book.of(route)
        #: open sessions
        self.by_dialect = Counter({route.dialect: 0 for route in self.routes})
        self.accepted = 0
        self.turned_away = 0  # connections cut at once: too many, from their address or in all
        self.unfinished = 0  # connections lost before their request was whole
        self.refusals: Counter[int] = Counter()  # by HTTP status
        self.rejections: Counter[str] = Counter()  # messages, by error code
        self.closes: Counter[int] = Counter()  # by the close code we sent; 1006 is none
        self.draining: Drain | None = None
        self._listeners: set[Listener] = set()
        self._resuming = Resuming(self.router, self.log)
        self._wheel: Wheel[Listener] = Wheel(
            self.loop, self._due, grain=min(0.1, endpoint.heartbeat / 20)
        )
        self._speaks: Speaks = Protocol
        self._server: asyncio.Server | Door | None = None
        self.closing: asyncio.Future[int] | None = None

    @classmethod
    async def start(cls, group: Group, endpoint: Endpoint, speaks: Speaks | None = None) -> Self:
        """Listen. Raises ConfigError for an address out of reach or a malformed subscription.

        `speaks` makes what a new connection is met with, `Protocol` unless
        given; it calls `lets_in`, and later `leave` or `hand_over`.
        """
        endpoint.check()
        try:
            server = cls(group, endpoint)
        except ValueError as error:
            raise ConfigError(str(error), code=getattr(error, "code", None)) from None
        server._speaks = speaks or Protocol
        try:
            server._server = await server._open()
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"cannot listen on {endpoint.host}:{endpoint.port}: {error}",
                code="ADDRESS_UNAVAILABLE",
            ) from None
        group.servers.append(server)
        return server

    def _speak(self, name: str) -> Dialect:
        return self.group.shelf.get(name, self.endpoint.decimals)

    async def _open(self) -> asyncio.Server | Door:
        host, port, tls = self.endpoint.host, self.endpoint.port, self.endpoint.tls()
        if tls:
            return await Door.open(self, host, port, backlog=BACKLOG, **tls)
        return await self.loop.create_server(self.meet, host, port, backlog=BACKLOG)

    def meet(self, address: str | None = None) -> Any:
        """The protocol of a new connection; `address` of one that was let in already."""
        return self._speaks(self, address)

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
    def fed(self) -> bool:
        """Is there a feed upstream?"""
        return self.group.fed

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

    def leave(self, address: str, asked: bool) -> None:
        """A connection that was let in is lost; `asked`: it had asked for something."""
        self.unfinished += not asked
        self.crowd.leave(address)

    def hand_over(self, transport: asyncio.Transport, address: str, data: bytes) -> None:
        """Take a connection that was let in, and what it has sent: from its request on."""
        protocol = Protocol(self, address)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

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
        if arrival is None:
            return handshake.healthy()
        if arrival.seat is not None:
            connection.let_run()
        return Listener(self, arrival)

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
        kind = Session if arrival.seat is None else Seated
        session = kind(
            f"ses_{secrets.token_hex(8)}",
            listener.outbox,
            self.router.clock,
            arrival.terms.rules,
            self.now(),
            arrival.grant,
            arrival.variable,
        )
        if arrival.seat is not None and isinstance(session, Seated):
            session.take_seat(arrival.seat, listener.close)
        self.accepted += 1
        self.by_dialect[listener.outbox.dialect.name] += 1
        self._listeners.add(listener)
        self._schedule(listener, session)
        return session

    def begin(self, listener: Listener, arrival: handshake.Arrival) -> None:
        """Welcome the client and begin what its request asked for."""
        router = self.router if arrival.seat is None else arrival.seat.router
        self.apply(listener, listener.session.open(arrival.opening, router.last_id))
        self._begun(listener)

    def disconnected(self, listener: Listener) -> None:
        """A connection is lost; its outbox is closed already."""
        self._listeners.discard(listener)
        self._wheel.cancel(listener)
        self._resuming.end(listener)
        if isinstance(listener.session, Seated):
            listener.session.leave()
        self.by_dialect[listener.outbox.dialect.name] -= 1
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
        self.apply(listener, effect.begun)
        if not effect.anew:
            self._begun(listener)

    def _command(self, listener: Listener, effect: Command) -> None:
        session = listener.session
        try:
            self.group.commands.command(session, effect.name, effect.fields)
        except MessageError as error:
            self._reject(listener, session.refuse(error))

    def _begun(self, listener: Listener) -> None:
        """Tell it what others were told before it came; let acks take the short way."""
        session = listener.session
        if isinstance(session, Seated):
            if session.state is State.LIVE:
                listener.taker = session.seat.taker
                self.loop.call_soon(self._shorten, listener)
            return
        if not self.group.fed:
            session.upstream(False)
        on_begin = self.group.on_begin
        if on_begin is not None and session.state is State.LIVE:
            on_begin(session)

    def _shorten(self, listener: Listener) -> None:
        protocol = listener.transport.underlying_transport.get_protocol()
        if isinstance(protocol, Protocol) and not listener.transport.is_disconnected:
            protocol.shorten(listener)

    def _resume(self, listener: Listener, effect: Resume) -> None:
        self._resuming.begin(listener, effect.since, self.group.missed)

    def drained(self, listener: Listener) -> None:
        """A held session has nothing more to send: more of its replay, if there is."""
        self._resuming.drained(listener)

    def _schedule(self, listener: Listener, session: Session) -> None:
        self._wheel.schedule(listener, session.deadline / 1e9)

    def _due(self, listener: Listener) -> None:
        session = listener.session
        effect = session.tick(self.now())
        self.apply(listener, effect)
        if effect is None:
            self._schedule(listener, session)

    # ------------------------------------------------------------------ drain

    async def close(self, grace: float = 10.0) -> int:
        """Tell every client, flush, close with 1001, within `grace` seconds; then stop listening.

        Newcomers are refused with 503 meanwhile. Who has not taken its bytes by
        the end is cut off; returns how many were, 0 when all were drained. See
        `fastrouter.net.drain`. Of several servers `Group.close` drains all at once.
        """
        if self.closing is None:
            self.closing = asyncio.ensure_future(leave([self], grace))
        return await self.closing

    def stop(self) -> None:
        """Stop listening, and looking after sessions."""
        assert self._server is not None
        self._server.close()
        self._wheel.close()

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
