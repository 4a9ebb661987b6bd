"""What runs, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fastrouter.app.ports import Ports
from fastrouter.feeds import Feed
from fastrouter.net.server import Server

if TYPE_CHECKING:
    from fastrouter.app.bus import Bus
    from fastrouter.control.port import Port

__all__ = ["Place", "Serving", "serving_of"]


class Place(NamedTuple):
    """Where sessions are served."""

    url: str
    dialect: str
    about: str


@dataclass(frozen=True, slots=True)
class Serving:
    """What runs, for whoever wants to tell people."""

    endpoints: tuple[Place, ...]  # the server's own first
    urls: tuple[str, ...]  # of the server's own
    feed: str  # in a line
    rest: str | None = None  # where REST is, without a path
    control: str | None = None  # the control port's URL
    bus: str | None = None  # where our events are on the bus
    strategies: tuple[str, ...] = ()  # that may be started
    account: str | None = None  # whose orders are taken, and where they are kept, in a line

    @property
    def port(self) -> int:
        """The server's own."""
        return int(self.urls[0].split("/")[2].rpartition(":")[2])


def serving_of(ports: Ports, feed: Feed, control: Port | None, bus: Bus) -> Serving:
    """What runs there."""
    own, *_ = servers = ports.group.servers
    rest = ports.rest.server if ports.rest is not None else None
    return Serving(
        tuple(
            Place(url_of(server, "ws", route.path), route.dialect, route.about)
            for server in servers
            for route in server.routes
        ),
        tuple(url_of(own, "ws", route.path) for route in own.routes),
        feed.describe(),
        url_of(rest, "http") if rest is not None else None,
        control.url if control is not None else None,
        bus.address,
        tuple(one.spec.id for one in ports.parts.strategies or ()),
        _account(ports),
    )


def _account(ports: Ports) -> str | None:
    if ports.parts.live is None:
        return None
    account, file = ports.parts.live.broker.ledger.account, ports.settings.store.file
    where = "in memory" if file is None else f"kept in {file}"
    return f"account {account.id}, {account.mode}, {where}"


def url_of(server: Server, scheme: str, path: str = "", host: str | None = None) -> str:
    """Where a server is; the scheme's secure form when it serves TLS.

    `host` is how it is reached, unless that is what it listens at.
    """
    secure = server.endpoint.ssl_context is not None
    host = server.endpoint.host if host is None else host
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}{'s' if secure else ''}://{host}:{server.port}{path}"
