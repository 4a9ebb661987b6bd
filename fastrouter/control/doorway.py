"""Requests that no application gets to see."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from fastrouter.control.problem import Problem

__all__ = ["Doorway", "House"]

LINE = len("  HTTP/1.1\r\n")
HEADER = len(": \r\n")


class House(Protocol):
    """`fastrouter.net.group.Group`: how those do who serve sessions at the same port."""

    @property
    def retry_after(self) -> float | None:
        """While it drains, the seconds after which to come back."""

    @property
    def full(self) -> bool:
        """Are there too many connections?"""


class Doorway:
    """Stands before an application: refuses while the house drains or is full, and long heads.

    ``/healthz`` tells whether it drains, and is answered when it is full.
    """

    def __init__(self, app: ASGIApp, house: House, header_bytes: int) -> None:
        self._app = app
        self._house = house
        self._header_bytes = header_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        problem = self._refusal(scope)
        app = self._app if problem is None else problem.answer()
        await app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        retry_after = self._house.retry_after
        if retry_after is not None:
            return _unavailable("draining", {"Retry-After": str(math.ceil(retry_after))})
        if _head_bytes(scope) > self._header_bytes:
            return Problem(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"the request's head is too long; allowed: {self._header_bytes} bytes",
                headers={"Connection": "close"},
            )
        if self._house.full and scope["path"] != "/healthz":
            return _unavailable("too many connections", {})
        return None


def _unavailable(reason: str, headers: dict[str, str]) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, reason, headers={"Connection": "close", **headers}
    )


def _head_bytes(scope: Scope) -> int:
    """The size of a request's first line and headers."""
    line = len(scope["method"]) + len(scope["raw_path"]) + LINE
    if scope["query_string"]:
        line += 1 + len(scope["query_string"])
    return line + sum(len(name) + len(value) + HEADER for name, value in scope["headers"]) + 2
