"""Events to a router, by HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

import orjson

from fastrouter.client.address import parts_of, shown
from fastrouter.client.options import own_token
from fastrouter.errors import AuthError, ConnectionFailed, EventError, FastrouterError

__all__ = ["DEFAULT_REST_URL", "REST_URL_VARIABLE", "check", "publish_events"]

DEFAULT_REST_URL = "http://127.0.0.1:8080"
REST_URL_VARIABLE = "PROXY_REST_URL"
PATH = "/v1/events"
SCHEMES = ("http", "https")
LOOPBACK = ("localhost", "::1")

#: what a refusal of that status is to the caller; others are a ConnectionFailed
REFUSALS: dict[int, type[FastrouterError]] = {
    400: EventError,
    401: AuthError,
    403: AuthError,
    413: EventError,
    422: EventError,
}


def publish_events(
    events: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    *,
    url: str | None = None,
    token: str | None = None,
    timeout: float = 10.0,
) -> list[str]:
    """Publish one event or several, up to 1000, in one request; return their ids in order.

    An event is ``{"kind": "signal", "payload": {…}}``, with ``symbol``, ``time`` and ``account``
    where the payload does not say; a router takes all of a request or none. It waits for the
    answer, up to `timeout` seconds: in a coroutine, use `asyncio.to_thread`.

    :param url: the router's REST address; default ``PROXY_REST_URL``, else
        ``http://127.0.0.1:8080``.
    :param token: a bearer token with the claim ``publish: true``; default, at the
        environment's or the default address, ``PROXY_TOKEN``.

    Raises EventError for events the router does not take, AuthError when we may not publish
    there, and ConnectionFailed when it cannot be reached or cannot answer.
    """
    if token is None:
        token = own_token(REST_URL_VARIABLE, url)
    target = shown(check(url or os.environ.get(REST_URL_VARIABLE) or DEFAULT_REST_URL))
    said = dict(events) if isinstance(events, Mapping) else list(events)
    try:
        body = orjson.dumps(said)
    except TypeError as error:
        raise EventError(f"the events are not JSON: {error}") from None
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = Request(target.rstrip("/") + PATH, body, headers, method="POST")
    answer = _answer(request, target, timeout)
    try:
        return list(map(str, orjson.loads(answer)["ids"]))
    except (ValueError, KeyError, TypeError):
        raise ConnectionFailed(f"{target} is no router: it answers without ids") from None


def check(url: str) -> str:
    """The URL itself; raises ConnectionFailed when it cannot be a router's REST address."""
    parts = parts_of(url, SCHEMES)
    odd = not url.isprintable() or " " in url
    if parts is None or parts.query or parts.fragment or odd:
        raise ConnectionFailed(
            f"{url!r} is not a router's REST URL; write http://HOST:PORT", code="INVALID_URL"
        )
    return url


def _answer(request: Request, name: str, timeout: float) -> bytes:
    try:
        with _opener(request.host).open(request, timeout=timeout) as response:
            found: bytes = response.read()
            return found
    except HTTPError as error:
        with error:
            raise _refusal(error, name) from None
    except URLError as error:
        raise _unreachable(name, error.reason) from None
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a token with line ends
        raise _unreachable(name, error) from None


class _Stay(HTTPRedirectHandler):
    """Goes nowhere else: events and token are for this server."""

    def redirect_request(self, *_: object) -> None:
        return None


def _opener(host: str) -> OpenerDirector:
    """One that takes no proxy to this machine itself."""
    name = urlsplit(f"//{host}").hostname or ""
    local = name in LOOPBACK or name.startswith("127.")
    return build_opener(_Stay, ProxyHandler({})) if local else build_opener(_Stay)


def _unreachable(name: str, reason: object) -> ConnectionFailed:
    text = reason.strerror if isinstance(reason, OSError) else None
    text = " ".join(str(text or reason).split()) or type(reason).__name__
    return ConnectionFailed(f"cannot publish to {name}: {text}")


def _refusal(error: HTTPError, name: str) -> FastrouterError:
    """What the router says, as an exception; of an answer that is not a router's, its status."""
    try:
        said = orjson.loads(error.read())
        code, message = str(said["code"]), str(said["message"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return ConnectionFailed(
            f"cannot publish to {name}: HTTP {error.code} {error.reason}", http_status=error.code
        )
    kind = REFUSALS.get(error.code)
    if kind is not None:
        return kind(message, code=code)
    return ConnectionFailed(f"{name}: {message}", code=code, http_status=error.code)
