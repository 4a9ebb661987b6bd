"""What a server serves at its port, and what several of them share."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fastrouter.errors import ConfigError
from fastrouter.net.protocol import HEADER_BYTES
from fastrouter.net.route import Route

if TYPE_CHECKING:
    from fastrouter.session.auth import Verifier

__all__ = ["CLOSE_SECONDS", "Admission", "Endpoint"]

CLOSE_SECONDS = 2.0  # for the peer to answer a close frame


class Admission(NamedTuple):
    """Who may come in, at all servers of a group together."""

    verifier: Verifier | None = None  # None: nobody has to say who it is
    auth_seconds: float = 5.0  # for a first message, when the handshake had no token
    allowed_origins: tuple[str, ...] = ()  # none: all
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For is believed
    connections: int = 0  # in all; 0 is no limit, here and below
    connections_per_address: int = 0

    def check(self) -> None:
        """Raise ConfigError for what cannot be."""
        _above(self, 0, "auth_seconds")
        _from(self, 0, "connections", "connections_per_address")


class Endpoint(NamedTuple):
    """Where a server listens and what it serves there."""

    host: str = "127.0.0.1"
    port: int = 8082
    routes: tuple[Route, ...] = (Route("/"), Route("/ws"))
    decimals: str = "string"  # or "number"
    subscriptions: str | None = None  # of who names none; None: what their manners say
    heartbeat: float = 15.0  # s
    default_timeframe: str = "1m"
    max_message_bytes: int = 64 * 1024
    handshake_seconds: float = 5.0
    ssl_context: ssl.SSLContext | None = None  # None: plain
    max_subscriptions: int = 1000  # a session; 0 is no limit
    messages_per_minute: int | Mapping[str, int] | None = None  # by dialect; None: its own row
    header_bytes: int = HEADER_BYTES  # of a request, its first line included

    def check(self) -> None:
        """Raise ConfigError for what no server can be."""
        _above(self, 0, "heartbeat", "max_message_bytes", "handshake_seconds")
        _from(self, 0, "max_subscriptions")
        if not 0 < self.header_bytes <= HEADER_BYTES:
            raise ConfigError(f"header_bytes is {self.header_bytes}; allowed: 1 to {HEADER_BYTES}")

    def messages(self, dialect: str) -> int | None:
        """How many messages a minute sessions of that dialect may send; None: its own row's."""
        messages = self.messages_per_minute
        return messages.get(dialect) if isinstance(messages, Mapping) else messages

    def tls(self) -> dict[str, Any]:
        """What the loop needs to serve TLS; nothing for a plain endpoint."""
        if self.ssl_context is None:
            return {}
        return {
            "ssl": self.ssl_context,
            "ssl_handshake_timeout": self.handshake_seconds,
            "ssl_shutdown_timeout": CLOSE_SECONDS,
        }


def _above(options: Admission | Endpoint, least: int, *names: str) -> None:
    for name in names:
        if not getattr(options, name) > least:
            raise ConfigError(f"{name} is {getattr(options, name)!r}; allowed: above {least}")


def _from(options: Admission | Endpoint, least: int, *names: str) -> None:
    for name in names:
        if not getattr(options, name) >= least:
            raise ConfigError(f"{name} is {getattr(options, name)!r}; allowed: 0 (none) or above")
