"""Servers of one router that share limits, are told the same and go together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fastrouter.errors import ConfigError
from fastrouter.net.endpoint import Admission, Endpoint
from fastrouter.net.leaving import Everybody, leave
from fastrouter.net.route import Route
from fastrouter.net.server import Server
from fastrouter.session.admission import Crowd, Origins, Proxies
from fastrouter.session.roster import Roster
from fastrouter.session.strategies import NoStrategies, Strategies

if TYPE_CHECKING:
    from fastrouter.core.router import Router
    from fastrouter.dialects import Shelf
    from fastrouter.net.listener import Listener
    from fastrouter.session.session import Session

__all__ = ["Group"]


class Group:
    """Made empty; `serve` adds a server, `close` drains them all.

    Raises ConfigError for an admission that cannot be.
    """

    def __init__(self, router: Router, shelf: Shelf, admission: Admission) -> None:
        admission.check()
        try:
            self.origins = Origins(admission.allowed_origins)
            self.proxies = Proxies(admission.trusted_proxies)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self.router = router
        self.shelf = shelf
        self.admission = admission
        self.crowd = Crowd(admission.connections, admission.connections_per_address)
        self.log = logging.getLogger("fastrouter.net")
        self.servers: list[Server] = []
        self.listeners = Everybody(self.servers)
        self.commands: Strategies = NoStrategies()
        self.roster = Roster()
        self.fed = True  # is there a feed upstream?
        self.missed: tuple[int, str] = (0, "")  # the newest id at the feed's last gap, and why
        self.on_begin: Callable[[Session], object] | None = None  # a session is live, or resumes
        self._closed: asyncio.Future[int] | None = None

    async def serve(self, host: str, port: int, routes: Iterable[Route], **options: Any) -> Server:
        """Listen, with several routes at one port; 0 takes a free one.

        `options` are the other fields of `Endpoint`, ``speaks`` what a new
        connection is met with (see `Server.start`). Raises ConfigError.
        """
        speaks = options.pop("speaks", None)
        endpoint = Endpoint(host, port, tuple(routes), **options)
        return await Server.start(self, endpoint, speaks)

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self.listeners)

    @property
    def full(self) -> bool:
        """Are there too many connections?"""
        return self.crowd.full

    @property
    def retry_after(self) -> float | None:
        """While it drains, the seconds after which one that is sent away may come back."""
        for server in self.servers:
            if server.draining is not None:
                return server.draining.retry_after()
        return None

    # --------------------------------------------------------------- upstream

    def upstream(self, connected: bool) -> None:
        """The feed is lost (False), or back (True): tell every session, those to come too."""
        if connected == self.fed:
            return
        self.fed = connected
        self.log.info("the feed is %s", "back" if connected else "lost")
        for listener in self.listeners:
            listener.session.upstream(connected)

    def gap(self, reason: str) -> None:
        """The feed has missed events: tell every session, and who resumes from before."""
        self.missed = (self.router.last_id, reason)
        self.log.warning("the feed has a gap: %s", reason)
        for listener in self.listeners:
            listener.session.gap(reason)

    # ------------------------------------------------------------- strategies

    def pause(self, strategy_id: str) -> None:
        """Sessions of that strategy get no market data, those to come neither."""
        self.roster.paused.add(strategy_id)
        for listener in self._of(strategy_id):
            listener.session.holding.pause()

    def unpause(self, strategy_id: str) -> None:
        """They do again, first of all a snapshot."""
        self.roster.paused.discard(strategy_id)
        for listener in self._of(strategy_id):
            listener.session.holding.unpause()

    def _of(self, strategy_id: str) -> list[Listener]:
        found = [one for one in self.listeners if one.session.strategy_id == strategy_id]
        return [one for one in found if not one.outbox.closed]

    # ------------------------------------------------------------------ drain

    async def close(self, grace: float = 10.0) -> int:
        """Drain all servers at once, within `grace` seconds; then stop listening.

        Returns how many sessions were cut off, 0 when all were drained. See
        `fastrouter.net.drain`.
        """
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._close(grace))
        return await self._closed

    async def _close(self, grace: float) -> int:
        alone = [server.closing for server in self.servers if server.closing is not None]
        return await leave(self.servers, grace) + sum([await closing for closing in alone])

    def abort(self) -> None:
        """Cut every session off now; a `close` that is under way ends at once, and counts them."""
        for server in self.servers:
            server.abort()
