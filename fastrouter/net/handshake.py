"""What an HTTP request gets before there is a session: 101, or why not."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

__all__ = ["Request", "healthy", "read", "refusal"]


class Request(NamedTuple):
    """What the handshake looks at."""

    path: str
    query: dict[str, list[str]]
    upgrade: bool

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter, None without one."""
        values = self.query.get(name)
        return values[-1] if values else None


def read(request: WSUpgradeRequest) -> Request:
    """Understand a request; ValueError when its target is not UTF-8 or not a path."""
    path, _, query = request.path.decode("ascii").partition("?")
    upgrade = _tokens(request, "Upgrade")
    connection = _tokens(request, "Connection")
    if "upgrade" in connection:
        # picows wants the bare word, but Firefox sends "keep-alive, Upgrade"
        request.headers["Connection"] = "Upgrade"
    return Request(
        path,
        parse_qs(query, keep_blank_values=True, errors="strict"),
        "websocket" in upgrade,
    )


def _tokens(request: WSUpgradeRequest, name: str) -> list[str]:
    return [token.strip().lower() for token in request.headers.get(name, "").split(",")]


def refusal(
    status: HTTPStatus, reason: str, headers: dict[str, str] | None = None
) -> WSUpgradeResponseWithListener:
    """An HTTP error with a JSON body ``{"code", "message"}``."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    if status is HTTPStatus.UPGRADE_REQUIRED:
        headers["Upgrade"] = "websocket"
    body = json.dumps({"code": status.name, "message": reason}).encode() + b"\n"
    return WSUpgradeResponseWithListener(
        WSUpgradeResponse.create_error_response(status, body, headers), None
    )


def healthy() -> WSUpgradeResponseWithListener:
    """200 for ``/healthz``."""
    return WSUpgradeResponseWithListener(
        WSUpgradeResponse.create_ok_response(
            b'{"status":"ok"}\n', {"Content-Type": "application/json"}
        ),
        None,
    )
