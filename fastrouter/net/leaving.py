"""How servers end: their sessions drain together, then nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from fastrouter.net.drain import Drain
from fastrouter.net.listener import Listener

if TYPE_CHECKING:
    from fastrouter.net.server import Server

__all__ = ["Everybody", "leave"]


class Everybody(Collection[Listener]):
    """The connections of all open sessions of some servers, as they come and go."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers

    def __len__(self) -> int:
        return sum(server.sessions for server in self._servers)

    def __iter__(self) -> Iterator[Listener]:
        for server in self._servers:
            yield from server.listeners

    def __contains__(self, listener: object) -> bool:
        return any(listener in server.listeners for server in self._servers)


async def leave(servers: Sequence[Server], grace: float) -> int:
    """Drain servers together; those that drain already are left to it."""
    servers = [server for server in servers if server.draining is None]
    if not servers:
        return 0
    everybody = Everybody(servers)
    draining = Drain(everybody, grace, now=servers[0].loop.time)
    for server in servers:
        server.draining = draining
    for listener in list(everybody):
        listener.session.drain()
    try:
        await draining.run()
    finally:
        for server in servers:
            server.stop()
    while everybody:  # noqa: ASYNC110 -- picows reports each cut in a turn of its own
        await asyncio.sleep(0)
    return draining.cut
