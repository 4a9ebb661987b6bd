"""The router as a program embeds it: the compiled core, on the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router as CoreRouter
from fastrouter.core.watchdog import Watchdog
from fastrouter.dialects import load
from fastrouter.journal.journal import Journal
from fastrouter.net.clock import MonotonicClock, SystemClock
from fastrouter.net.server import Endpoint, Server
from fastrouter.net.staleness import Staleness
from fastrouter.session.session import Session

__all__ = ["Router"]

SENDS_A_TURN = 64  # about a millisecond of kernel time, then the loop gets its turn
LEAST_SLEEP = 0.001  # s; what the loop's timers can tell apart
CATCH_UP = 0.01  # s; the journal's thread stores a batch in about that
DRAIN_MARK = 64 * 1024  # bytes the slowest session may lag when drained() returns


class Router(CoreRouter):
    """Routes events to outboxes, and its own servers' sessions among them.

    Without `serve` there is no I/O. All methods belong to the thread of the
    event loop that serves.

    - `clock`: stamps events that come without a time; default the system's;
    - `outbox_bytes`: what one session may hold for itself (default 1 MiB);
    - `total_bytes`: what all sessions may hold (default 256 MiB);
    - `journal`: keeps lossless events for sessions that come back. Default: one
      in memory, 16 MiB of the newest. Who made it closes it, after the servers.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        outbox_bytes: int = 1 << 20,
        total_bytes: int = 256 << 20,
        journal: Journal | None = None,
    ) -> None:
        self.journal = Journal() if journal is None else journal
        super().__init__(
            clock=SystemClock() if clock is None else clock,
            timer=MonotonicClock(),
            outbox_bytes=outbox_bytes,
            total_bytes=total_bytes,
            recorder=self.journal,
        )
        self.journal.follow(self)
        self._waiters: list[asyncio.Future[None]] = []
        self._staleness: Staleness | None = None
        self._flushing = False  # a flush is about to run
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: int | None = None  # when it rings, ns of the timer
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
        `options` are the other fields of `fastrouter.net.server.Endpoint`:
        ``subscriptions`` of a session that names none, ``heartbeat`` (s),
        ``default_timeframe``, ``max_message_bytes``, ``handshake_seconds``,
        ``verifier`` (a `fastrouter.session.auth.Verifier`) and ``auth_seconds``,
        ``allowed_origins``, ``trusted_proxies``, ``connections``,
        ``connections_per_address``, ``max_subscriptions``, ``messages_per_minute``,
        ``header_bytes``, ``ssl_context`` for ``wss://`` (see `fastrouter.net.certificate`).

        Raises ConfigError when the address cannot be had, the dialect is not
        registered, or a subscription is malformed. The caller closes the server.
        """
        paths = (path,) if isinstance(path, str) else tuple(path)
        server = await Server.start(
            self,
            load(dialect, decimals=decimals),
            Endpoint(host=host, port=port, paths=paths, **options),
        )
        server.on_begin = self._greet
        return server

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
        """Flow control: give the loop a turn, and wait until nobody lags far behind.

        That is sessions, and the journal's file. A session whose socket is full does
        not hold the publisher back: its quotes are conflated.
        """
        await asyncio.sleep(0)
        while self.journal.behind:  # noqa: ASYNC110 -- a thread tells nobody
            await asyncio.sleep(CATCH_UP)
        while self.pending > DRAIN_MARK:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake(self) -> None:
        asyncio.get_running_loop().call_soon(self._flush)
        self._flushing = True

    def _flush(self) -> None:
        self._flushing = False
        more = True
        try:
            more = self.flush(SENDS_A_TURN)
        finally:  # a dialect that raises for one session must not stop the others
            if more:
                self._wake()
        self._set_alarm()
        if self._waiters and self.pending <= DRAIN_MARK:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def _set_alarm(self) -> None:
        """Have `flush` called when the next paced session is due."""
        due = self.next_due
        if due == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = due
        if due is not None:
            seconds = max(LEAST_SLEEP, (due - self.timer.time_ns()) / 1e9)
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_at = None
        if not self._flushing:
            self._flush()
