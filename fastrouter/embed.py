"""The router as a program embeds it: the compiled core, on the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router as CoreRouter
from fastrouter.core.watchdog import Watchdog
from fastrouter.dialects import Shelf
from fastrouter.journal.journal import Journal
from fastrouter.net.alarm import Alarm
from fastrouter.net.clock import MonotonicClock, SystemClock
from fastrouter.net.endpoint import Admission
from fastrouter.net.group import Group
from fastrouter.net.route import Route
from fastrouter.net.server import Server
from fastrouter.net.staleness import Staleness
from fastrouter.session.session import Session

__all__ = ["Router"]

SENDS_A_TURN = 64  # about a millisecond of kernel time, then the loop gets its turn
CLOSE_GRACE = 100_000_000  # ns; for quotes stamped before the end of a candle, and on their way
AHEAD = 60_000_000_000  # ns that a quote may come before its time by the system's clock
CATCH_UP = 0.01  # s; the journal's thread stores a batch in about that
MARKET_MARK = 1024  # events a broker may be behind when drained() returns
DRAIN_MARK = 64 * 1024  # bytes the slowest session may lag when drained() returns


def _validate(kind: str, payload: Any, time: int) -> Any:
    """What is routed of a payload; the models are loaded when the first is published."""
    from fastrouter.models import validate
    from fastrouter.models.market import MARKET_MODELS, market_event

    return market_event(kind, payload, time) if kind in MARKET_MODELS else validate(kind, payload)


class Router(CoreRouter):
    """Routes events to outboxes, and its own servers' sessions among them.

    Without `serve` there is no I/O. All methods belong to the thread of the
    event loop that serves.

    - `clock`: stamps events that come without a time; default the system's;
    - `outbox_bytes`: what one session may hold for itself (default 1 MiB);
    - `total_bytes`: what all sessions may hold (default 256 MiB);
    - `journal`: keeps lossless events for sessions that come back. Default: one
      in memory, 16 MiB of the newest. Who made it closes it, after the servers;
    - `candles`: timeframes of candles to build from quotes (default none), of their
      `price`, ``"last"`` or ``"mid"``; `statistics`: see `fastrouter.core.router.Router`.

    A candle of a symbol that is silent is closed 0.1 s after its end by `clock`, if the
    symbol is live: its quotes come less than ten seconds after their time. A quote stamped
    before the end still counts until then. One that is stamped more than a minute ahead of the
    system's clock makes neither candles nor statistics: see `early`.

    `publish` takes of a payload what the model of its kind allows, in the form
    that it says: see `fastrouter.models`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        outbox_bytes: int = 1 << 20,
        total_bytes: int = 256 << 20,
        journal: Journal | None = None,
        candles: Iterable[str] = (),
        price: str = "last",
        statistics: bool = False,
    ) -> None:
        self.journal = Journal() if journal is None else journal
        super().__init__(
            clock=SystemClock() if clock is None else clock,
            timer=MonotonicClock(),
            outbox_bytes=outbox_bytes,
            total_bytes=total_bytes,
            recorder=self.journal,
            candles=candles,
            price=price,
            statistics=statistics,
            validate=_validate,
            ahead=AHEAD if clock is None else None,
        )
        self.journal.follow(self)
        self._shelf = Shelf()
        self._waiters: list[asyncio.Future[None]] = []
        self._staleness: Staleness | None = None
        self._flush_soon: asyncio.Handle | None = None  # when one is about to run
        self._due = Alarm(self.timer, self._flush_due)
        self._close = Alarm(self.clock, self._close_due)
        self.wake = self._wake

    async def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8082,
        *,
        dialect: str = "trading-api",
        path: str | tuple[str, ...] = ("/", "/ws"),
        decimals: str = "string",
        **options: Any,
    ) -> Server:
        """Listen for WebSocket clients; port 0 takes a free one (see `Server.port`).

        `path` is one or several; `decimals` is ``string`` or ``number``;
        `options` are those of `group`, and the other fields of
        `fastrouter.net.endpoint.Endpoint`: ``subscriptions`` of a session that
        names none, ``heartbeat`` (s), ``default_timeframe``,
        ``max_message_bytes``, ``handshake_seconds``, ``max_subscriptions``,
        ``messages_per_minute``, ``header_bytes``, ``ssl_context`` for ``wss://``
        (see `fastrouter.net.certificate`).

        Raises ConfigError when the address cannot be had, the dialect is not
        registered, or a subscription is malformed. The caller closes the server.
        """
        paths = (path,) if isinstance(path, str) else path
        shared = {name: options.pop(name) for name in Admission._fields if name in options}
        routes = [Route(one, dialect) for one in paths]
        server = await self.group(**shared).serve(host, port, routes, decimals=decimals, **options)
        self._set_alarms()  # there may have been no loop before
        return server

    def group(self, **admission: Any) -> Group:
        """Servers with several routes each, that share limits and drain together.

        ::

            group = router.group(connections=1000)
            await group.serve("127.0.0.1", 8000, [Route("/ws", "botcore-ai"), …])
            await group.serve("127.0.0.1", 3001, [Route("/ws", "orchestrator")])
            …
            await group.close(grace=10)

        `admission` are fields of `fastrouter.net.endpoint.Admission`:
        ``verifier`` (a `fastrouter.session.auth.Verifier`) and ``auth_seconds``,
        ``allowed_origins``, ``trusted_proxies``, ``connections``,
        ``connections_per_address``. All servers of a router share its dialects:
        an event is encoded once for each that is spoken, wherever.
        """
        group = Group(self, self._shelf, Admission(**admission))
        group.on_begin = self._greet
        return group

    def watch(self, silence: float = 60.0) -> Staleness:
        """Tell sessions when a quote topic they hold is silent for `silence` seconds.

        They get ``stale``, and ``fresh`` when it moves again, until the caller
        closes what this returns; ``stale`` also when they come later.
        """
        self._staleness = Staleness(self, Watchdog(self, int(silence * 1e9)), silence)
        return self._staleness

    @property
    def stale(self) -> int:
        """How many quote topics are silent for too long; 0 when nobody watches."""
        return self._staleness.stale if self._staleness is not None else 0

    def _greet(self, session: Session) -> None:
        if self._staleness is not None:
            self._staleness.greet(session)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Events published inside leave together, when the block ends.

        (But for what does not fit the ring of frames: memory stays bounded.)
        """
        self.flusher.begin()
        try:
            yield
        finally:
            self.flusher.end()

    async def drained(self) -> None:
        """Flow control: send what was published, give the loop a turn, and wait until nobody lags
        far behind.

        What was published leaves before whatever else the loop has to do. Those who may lag are
        sessions, the journal's file, and a broker that trades here. A session whose socket is full
        does not hold the publisher back: its quotes are conflated.
        """
        if self._flush_soon is not None:
            self._flush_soon.cancel()
            self._flush_soon = None
            try:
                self._flush()
            except Exception as error:  # as if the loop had called it
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "flushing failed", "exception": error}
                )
        await asyncio.sleep(0)
        while self.journal.behind:  # noqa: ASYNC110 -- a thread tells nobody
            await asyncio.sleep(CATCH_UP)
        while self.market.pending > MARKET_MARK:  # noqa: ASYNC110 -- it shrinks turn by turn
            await asyncio.sleep(0)
        while self.pending > DRAIN_MARK:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake(self) -> bool:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if not self.flusher.idle:
                raise
            return False  # nobody waits: it is about candles, and can wait
        self._flush_soon = loop.call_soon(self._flush)
        return True

    def _flush(self) -> None:
        self._flush_soon = None
        more = True
        try:
            more = self.flush(SENDS_A_TURN)
        finally:  # a dialect that raises for one session must not stop the others
            if more:
                self._wake()
        self._set_alarms()
        if self._waiters and self.pending <= DRAIN_MARK:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def _set_alarms(self) -> None:
        """Have `flush` called when something is due, and candles closed."""
        self._due.set(self.next_due)
        end = self.next_live_close
        self._close.set(None if end is None else end + CLOSE_GRACE)

    def _flush_due(self) -> None:
        if self._flush_soon is None:
            self._flush()

    def _close_due(self) -> None:
        self.close_candles(self.clock.time_ns() - CLOSE_GRACE, live=True)
        self._set_alarms()
