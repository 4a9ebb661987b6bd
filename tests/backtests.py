"""Servers of backtests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastrouter import Router
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.host import Engine, Options
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.route import Route
from fastrouter.net.server import Server
from fastrouter.session.auth import Verifier

from .tokens import SECRET


@asynccontextmanager
async def backtests(
    folder: Path | None, options: Options | None = None, auth: bool = False, **terms
) -> AsyncIterator[tuple[Server, Engine]]:
    """A server whose sessions are in runs of the engine, over that folder or the made-up market.

    Nobody beats there, and no close takes long; `terms` are more of the server's.
    """
    engine = Engine(None if folder is None else Catalog(folder), MonotonicClock(), options)
    group = Router().group(verifier=Verifier(secret=SECRET) if auth else None)
    route = Route("/ws", manners="backtest", venue=engine)
    server = await group.serve("127.0.0.1", 0, [route], heartbeat=600, **terms)
    server.close_seconds = 0.1
    try:
        yield server, engine
    finally:
        await group.close(0.2)
        await engine.close()
