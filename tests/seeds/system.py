"""All endpoints of the wire contract over one router, at free ports, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastrouter import Router
from fastrouter.app.endpoints import ROUTES
from fastrouter.net.group import Group
from fastrouter.net.route import Route

#: port of the documents -> what is served there
PORTS = {
    8082: (Route("/"), Route("/ws")),
    8080: ROUTES["rest"],
    8000: ROUTES["ai"],
    3001: ROUTES["market"],
    3002: ROUTES["risk"],
}


class System:
    """`ports` says where the ports of the documents are found."""

    def __init__(self, router: Router, group: Group, ports: dict[int, int]) -> None:
        self.router = router
        self.group = group
        self.ports = ports

    def publish(self, kind: Any, payload: Any = None) -> None:
        self.router.publish(kind, payload) if payload is not None else self.router.publish(kind)

    def url(self, port: int, path: str = "/ws") -> str:
        """The URL of a document's endpoint."""
        return f"ws://127.0.0.1:{self.ports[port]}{path}"


@asynccontextmanager
async def system(
    ports: dict[int, int] | None = None, *, admission: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[System]:
    """Running until the block ends. `ports`: where they shall be, 0 (anywhere) by default."""
    router = Router()
    group = router.group(**admission or {})
    found = {}
    for port, routes in PORTS.items():
        wanted = (ports or {}).get(port, 0)
        server = await group.serve("127.0.0.1", wanted, routes, **options)
        found[port] = server.port
    try:
        yield System(router, group, found)
    finally:
        await group.close(0)
