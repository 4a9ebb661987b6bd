"""Sessions and tokens of our own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

from fastrouter.errors import AuthError


class View(NamedTuple):
    id: str
    address: str = "10.0.0.1"
    dialect: str = "trading-api"
    path: str = "/ws"
    subject: str | None = None
    subscriptions: tuple[str, ...] = ("S:A:quote",)
    backlog: int = 0
    conflated: int = 0
    delivered: int = 7
    connected_at: int = 1_700_000_000_000_000_000
    last_ack: int | None = None


class FakeSessions:
    def __init__(self, *views: View) -> None:
        self.views = {view.id: view for view in views}
        self.asked: list[tuple] = []
        self.closed: list[tuple[str, str]] = []

    def page(self, after, limit, dialect, address):
        self.asked.append((after, limit, dialect, address))
        return [view for name, view in sorted(self.views.items()) if name > after][:limit]

    def find(self, session_id):
        return self.views.get(session_id)

    def close(self, session_id, reason):
        self.closed.append((session_id, reason))
        return self.views.pop(session_id, None) is not None


class FakeVerifier:
    """Takes the tokens "admin", "publish", "strategies" and "user"."""

    def verify(self, token, now_s):
        if token not in ("admin", "publish", "strategies", "user"):
            raise AuthError("the token has expired", code="TOKEN_EXPIRED")
        claims = {claim: token == claim for claim in ("admin", "publish", "strategies")}
        return SimpleNamespace(**claims)
