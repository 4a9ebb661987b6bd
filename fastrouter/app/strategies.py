"""The strategies, as they are configured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from fastrouter import config
from fastrouter.app.commands import Dispatch
from fastrouter.app.ports import Ports
from fastrouter.app.serving import url_of
from fastrouter.app.stop import end
from fastrouter.app.tokens import Tokens
from fastrouter.config.inherited import inherited
from fastrouter.config.strategies import BUILT_IN, ORCH
from fastrouter.control.database import Database
from fastrouter.control.desk import Desk
from fastrouter.control.leftovers import mark
from fastrouter.control.risk_status import RiskCommands
from fastrouter.control.strategies import COMMANDS, Commands, Place, Registry, Restarts, Spec
from fastrouter.control.strategies.house import House
from fastrouter.control.strategies.keeper import Timer
from fastrouter.control.strategies.named import Named
from fastrouter.control.strategies.records import Records
from fastrouter.control.strategies.signals import Signals
from fastrouter.control.tally import Tally
from fastrouter.dialects import load
from fastrouter.errors import ConfigError, StoreError
from fastrouter.feeds.market import market_symbols
from fastrouter.net.server import Server
from fastrouter.session.strategies import Strategies

__all__ = ["Orchestrator", "place_of", "specs_of"]

#: symbols of the made-up market that a built-in strategy is for, unless it is told
FEW = 20

#: addresses to listen at -> where one is reached from here
ANY = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


class Orchestrator:
    """Strategies of a server: made before its ports are open, `open` after, `close` before they go.

    Their logs are beside the store; those of a store in memory are, too. Sessions' commands come
    here from the start. What REST asks the desk for is timed in `tally`. Raises ConfigError.
    """

    def __init__(self, ports: Ports, database: Database, desk: Desk, tally: Tally) -> None:
        group = ports.group
        tokens = Tokens(group.admission.verifier, desk.broker.ledger.account.id)
        self._ports = ports
        self._mark = mark(database.identity)
        self._signals = Signals(ports.router, load("orchestrator"), time.time_ns)
        self.registry = Registry(
            specs_of(ports.settings),
            House(
                desk,
                Records(database),
                group,
                ports.router.publish,
                Timer(time.monotonic, asyncio.sleep),
                _logs(database.path),
                tokens=tokens,
            ),
            last_signal=lambda: self._signals.last,
            private=group.admission.verifier is not None,
        )
        group.roster.subscriptions = self.registry.subscriptions
        rows: dict[str, Strategies] = dict.fromkeys(COMMANDS, Commands(self.registry))
        group.commands = Dispatch(rows | {"get_risk_status": RiskCommands(desk)})
        ports.parts.strategies = self.registry
        ports.parts.live = Named(desk, self.registry.name_of, tally)

    async def open(self) -> None:
        """Start those that are to run. Raises ConfigError for a store that cannot be read."""
        self.registry.house.place = place_of(self._ports, self._mark)
        try:
            await self.registry.open()
        except StoreError as error:
            raise ConfigError(f"strategies: {error}") from None

    async def close(self, at_once: asyncio.Event | None = None) -> None:
        """End them, each within its grace; without any from `at_once` on. Safe to call again."""
        await end(self.registry.close(), self.registry.kill, at_once)
        self._signals.close()


def _logs(store: Path | None) -> Path | None:
    return None if store is None else store.parent / f"{store.name}-strategies"


def specs_of(settings: config.Settings) -> list[Spec]:
    """All that are configured, and those built in."""
    return [_spec(name, table, settings) for name, table in settings.strategies.items()]


def _spec(name: str, table: config.Strategy, settings: config.Settings) -> Spec:
    symbols = table.symbols
    if not symbols and name in BUILT_IN and settings.feed.name == "synthetic":
        symbols = tuple(market_symbols(settings.feed.synthetic.symbols)[:FEW])
    said = {orch: getattr(table, ours) for orch, ours in ORCH.items()}
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
        table.nice,
        {key: value for key, value in said.items() if value is not None},
    )


def place_of(ports: Ports, more: Mapping[str, str]) -> Place:
    """Where processes of ours reach us, and with what else; the ports are open."""
    own, rest = ports.group.servers[0], ports.rest
    paths = own.routes.paths
    path = "/" if "/" in paths else paths[0]
    there = rest.server if rest is not None else None
    rest_url = None if there is None else _url(there, "http")
    return Place(_url(own, "ws", path), rest_url, {**inherited(), **more})


def _url(server: Server, scheme: str, path: str = "") -> str:
    return url_of(server, scheme, path, ANY.get(server.endpoint.host))
