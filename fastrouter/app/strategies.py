"""The strategies, as they are configured."""

from __future__ import annotations

from fastrouter import config
from fastrouter.app.ports import Ports
from fastrouter.app.serving import url_of
from fastrouter.config.inherited import inherited
from fastrouter.config.strategies import BUILT_IN, LIMITS
from fastrouter.control.strategies.spec import Restarts, Spec
from fastrouter.control.strategies.surroundings import Place
from fastrouter.feeds.market import market_symbols
from fastrouter.net.server import Server

__all__ = ["place_of", "specs_of"]

#: symbols of the made-up market that a built-in strategy is for, unless it is told
FEW = 20

#: addresses to listen at -> where one is reached from here
ANY = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


def specs_of(settings: config.Settings) -> list[Spec]:
    """All that are configured, and those built in."""
    return [_spec(name, table, settings) for name, table in settings.strategies.items()]


def _spec(name: str, table: config.Strategy, settings: config.Settings) -> Spec:
    symbols = table.symbols
    if not symbols and name in BUILT_IN and settings.feed.name == "synthetic":
        symbols = tuple(market_symbols(settings.feed.synthetic.symbols)[:FEW])
    limits = {orch: getattr(table, ours) for orch, ours in LIMITS.items()}
    return Spec(
        name,
        table.command,
        table.name or name,
        symbols,
        table.subscriptions,
        {key: value.get_secret_value() for key, value in table.environment.items()},
        table.autostart,
        Restarts(
            table.max_restarts,
            table.restart_seconds,
            table.restart_longest_seconds,
            table.restart_window_seconds,
        ),
        table.grace_seconds,
        {key: value for key, value in limits.items() if value is not None},
    )


def place_of(ports: Ports) -> Place:
    """Where processes of ours reach us; the ports are open."""
    own, rest = ports.group.servers[0], ports.rest
    paths = own.routes.paths
    path = "/" if "/" in paths else paths[0]
    there = rest.server if rest is not None else None
    return Place(_url(own, "ws", path), None if there is None else _url(there, "http"), inherited())


def _url(server: Server, scheme: str, path: str = "") -> str:
    return url_of(server, scheme, path, ANY.get(server.endpoint.host))
