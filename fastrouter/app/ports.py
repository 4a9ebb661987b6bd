"""Every port of sessions, as it is configured."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from fastrouter import config
from fastrouter.app.address import elsewhere
from fastrouter.app.backtest import engine_of, within
from fastrouter.app.endpoints import ROUTES
from fastrouter.app.parts import Parts
from fastrouter.app.rest import Rest
from fastrouter.app.verifier import verifier_of
from fastrouter.embed import Router
from fastrouter.engine.host import Engine
from fastrouter.errors import ConfigError
from fastrouter.net.certificate import Certificate
from fastrouter.net.group import Group
from fastrouter.net.route import Route
from fastrouter.net.server import Server

__all__ = ["Ports"]


class Ports:
    """The servers of one process: its own, and those of the section ``ports``. `open` each.

    They share limits, a certificate, and their end: `close`. What REST is to have beside the
    router is put into `parts` before.
    """

    def __init__(
        self, router: Router, settings: config.Settings, certificate: Certificate | None
    ) -> None:
        limits = settings.limits
        self.settings = settings
        self.router = router
        self.group: Group = router.group(
            verifier=verifier_of(settings.auth),
            auth_seconds=settings.auth.first_message_seconds,
            allowed_origins=settings.server.allowed_origins,
            trusted_proxies=settings.server.trusted_proxies,
            connections=limits.connections,
            connections_per_address=limits.connections_per_address,
        )
        self.rest: Rest | None = None
        self.parts = Parts(router, self.group.admission.verifier)
        self._tls = certificate.context if certificate is not None else None

    async def open(self) -> None:
        """Listen at all of them. Raises ConfigError, which says what to set."""
        server = self.settings.server
        own = Route(
            "/", server.dialect, subscriptions=server.subscriptions, of_strategies=True,
            about="live",
        )  # fmt: skip
        routes = [own._replace(path=path) for path in server.paths]
        await self._open(server.port, routes, "--port or --host", "server.port")
        if any(name == "backtest" for name, _ in self.settings.ports.served()):
            self.parts.engine = engine_of(self.settings)
        for name, port in self.settings.ports.served():
            options = f"--ports {name}=N, or none with --ports {name}=off"
            here = self._routes(name)
            serve = partial(self._open, port, here, options, f"ports.{name}")
            if name != "rest":
                await serve()
            elif rest := await Rest.start(self.parts, self.group, self.settings, ROUTES[name]):
                self.rest = rest
                rest.server = await serve(speaks=rest.speaks)

    @property
    def engine(self) -> Engine | None:
        """Of backtests, once it is open and they are served."""
        return self.parts.engine

    def _routes(self, name: str) -> tuple[Route, ...]:
        if name != "backtest" or self.engine is None:
            return ROUTES[name]
        return within(self.engine, ROUTES[name])

    async def close(self, grace: float = 0) -> int:
        """Drain all within `grace` seconds; returns how many sessions were cut."""
        cut = await self.group.close(grace)
        if self.engine is not None:
            await self.engine.close()
        if self.rest is not None:
            await self.rest.close()
        return cut

    async def _open(
        self, port: int, routes: Iterable[Route], options: str, key: str, **more: Any
    ) -> Server:
        server, limits = self.settings.server, self.settings.limits
        try:
            return await self.group.serve(
                server.host,
                port,
                routes,
                decimals=server.decimals,
                heartbeat=server.heartbeat_seconds,
                default_timeframe=server.default_timeframe,
                max_message_bytes=server.max_message_bytes,
                handshake_seconds=server.handshake_seconds,
                max_subscriptions=limits.subscriptions,
                messages_per_minute=limits.messages_per_minute,
                header_bytes=limits.header_bytes,
                ssl_context=self._tls,
                **more,
            )
        except ConfigError as error:
            raise elsewhere(error, options, key) from None
