"""The HTTP side of the port ``rest``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog

from fastrouter import config
from fastrouter.app.parts import Parts
from fastrouter.net.group import Group
from fastrouter.net.route import Route
from fastrouter.net.server import Server

if TYPE_CHECKING:
    from fastapi import APIRouter

    from fastrouter.control.desks import Desks
    from fastrouter.control.web import Web

__all__ = ["ROUTERS", "Rest"]

logger = structlog.stdlib.get_logger("fastrouter.app")


def _events(parts: Parts) -> APIRouter:
    """Where events come in."""
    from fastrouter.control.guard import Guard
    from fastrouter.control.intake import intake

    return intake(parts.router, Guard(parts.verifier, time.time, ("publish", "admin")))


def _desks(parts: Parts) -> Desks:
    """Who takes orders: live and in backtests."""
    from fastrouter.control.desks import Desks
    from fastrouter.control.guard import Guard
    from fastrouter.control.strategies.gate import gate_of

    guard = Guard(parts.verifier, time.time, ())
    gate = None if parts.strategies is None else gate_of(parts.strategies)
    runs = None if parts.engine is None else parts.engine.desk
    return Desks(guard, parts.live, runs, gate)


def _trading(parts: Parts) -> APIRouter:
    """Orders, positions, the account."""
    from fastrouter.control.trading import trading

    return trading(_desks(parts))


def _strategies(parts: Parts) -> APIRouter:
    """The orchestrator's."""
    from fastapi import APIRouter

    from fastrouter.control.guard import Guard
    from fastrouter.control.strategies.routes import routes

    if parts.strategies is None:
        return APIRouter()
    return routes(parts.strategies, Guard(parts.verifier, time.time, ("strategies", "admin")))


def _risk(parts: Parts) -> APIRouter:
    """Limits and the kill switch, of the live account."""
    from fastapi import APIRouter

    from fastrouter.control import risk
    from fastrouter.control.guard import Guard

    if parts.live is None:
        return APIRouter()
    return risk.router(parts.live, Guard(parts.verifier, time.time, risk.CLAIMS))


def _jobs(parts: Parts) -> APIRouter:
    """Backtests in processes of their own, and the data that they are of."""
    from fastapi import APIRouter

    from fastrouter.control.datasets import datasets_api
    from fastrouter.control.guard import Guard
    from fastrouter.control.jobs.api import jobs_api
    from fastrouter.control.trading.answer import refusals

    found = APIRouter(responses=refusals(body=True))
    guard = Guard(parts.verifier, time.time, ("strategies", "admin"))
    if parts.datasets is not None:
        found.include_router(datasets_api(parts.datasets, guard))
    if parts.jobs is not None and parts.offer is not None:
        found.include_router(jobs_api(parts.jobs, parts.offer, guard))
    return found


#: what makes the routes of this port; each asks a `control.guard.Guard` of that verifier
ROUTERS: tuple[Callable[[Parts], APIRouter], ...] = (
    _events,
    _trading,
    _strategies,
    _risk,
    _jobs,
)


class Rest:
    """An HTTP application for connections that somebody else accepts. Made by `start`."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self.server: Server | None = None  # who accepts

    @classmethod
    async def start(
        cls, parts: Parts, group: Group, settings: config.Settings, routes: Iterable[Route]
    ) -> Rest | None:
        """None, and a warning, when its libraries are not installed."""
        try:
            from fastrouter.control.doorway import Doorway
            from fastrouter.control.rest import build
            from fastrouter.control.trading.express import Express
            from fastrouter.control.web import Web
        except ImportError as error:
            logger.warning(
                "no REST port: its libraries are not installed",
                missing=error.name,
                install="pip install 'fastrouter[server]'",
            )
            return None
        routers = [make(parts) for make in ROUTERS]
        app = Express(build(routers, [route.path for route in routes]), _desks(parts))
        return cls(await Web.start(Doorway(app, group, settings.limits.header_bytes)))

    def speaks(self, server: Server, address: str | None) -> Any:
        """What a new connection of the server is met with."""
        from fastrouter.control.http import Http

        endpoint = server.endpoint
        terms = (address, endpoint.handshake_seconds, endpoint.header_bytes)
        return self._web.protocol(lambda **uvicorn: Http(server, *terms, **uvicorn))

    async def close(self) -> None:
        """Stop; requests under way have a second."""
        await self._web.close()
