"""The sessions of all servers, as operators look for them and end them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fastrouter.errors import CloseCode
from fastrouter.net.listener import Listener
from fastrouter.net.server import Server

__all__ = ["Registry", "View"]


class View(NamedTuple):
    """What there is to know of one session; times in Unix ns."""

    id: str
    address: str
    dialect: str
    path: str
    subject: str | None
    subscriptions: list[str]
    backlog: int  # bytes
    conflated: int
    delivered: int
    connected_at: int
    last_ack: int | None
    strategy_id: str | None

    @classmethod
    def of(cls, listener: Listener) -> View:
        """The session of a connection, as it is now."""
        session, outbox = listener.session, listener.outbox
        return cls(
            session.id,
            listener.address,
            outbox.dialect.name,
            listener.path,
            session.subject,
            list(session.held.values()),
            outbox.backlog,
            outbox.conflated,
            outbox.delivered,
            listener.connected_at,
            _unix(listener.server, session.last_ack),
            session.strategy_id,
        )


class Registry:
    """Finds sessions among those of the servers it is given."""

    def __init__(self, servers: Iterable[Server]) -> None:
        self._servers = tuple(servers)

    def page(self, after: str, limit: int, dialect: str | None, address: str | None) -> list[View]:
        """Up to `limit` sessions with an id above `after`, by id, of that dialect and address."""
        found = (
            listener
            for listener in self._listeners()
            if listener.session.id > after
            and dialect in (None, listener.outbox.dialect.name)
            and address in (None, listener.address)
        )
        first = heapq.nsmallest(limit, found, key=lambda listener: listener.session.id)
        return [View.of(listener) for listener in first]

    def find(self, session_id: str) -> View | None:
        """The session of that id, None without one."""
        listener = self._find(session_id)
        return View.of(listener) if listener is not None else None

    def close(self, session_id: str, reason: str) -> bool:
        """Close a session with 1008; False when there is none of that id."""
        listener = self._find(session_id)
        if listener is None:
            return False
        listener.close(CloseCode.POLICY, reason)
        return True

    def _find(self, session_id: str) -> Listener | None:
        found = (one for one in self._listeners() if one.session.id == session_id)
        return next(found, None)

    def _listeners(self) -> Iterator[Listener]:
        for server in self._servers:
            yield from server.listeners


def _unix(server: Server, moment: int | None) -> int | None:
    """A time of the sessions' monotonic clock."""
    if moment is None:
        return None
    return server.router.clock.time_ns() - (server.now() - moment)
