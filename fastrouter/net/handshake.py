"""What an HTTP request gets before there is a session: 101, or why not.

::

    431  a head too long             503  full
    503  draining                    429  too many from that address
    404  no such path                400  an unknown dialect, a malformed query
    426  no WebSocket 13             401  a token that does not hold
    400  a malformed key             404  no such run or data set
    403  an origin not allowed       409  a run that is full; 503: too many runs
    403  a token of another strategy

The first that applies. ``GET /healthz`` is 200 until the server drains.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
from base64 import b64decode
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from fastrouter.errors import AuthError, ConfigError, MessageError, SubscriptionError
from fastrouter.session.query import Opening
from fastrouter.session.subscriptions import parse

if TYPE_CHECKING:
    from fastrouter.net.route import Found, Route
    from fastrouter.net.server import Server
    from fastrouter.net.terms import Terms
    from fastrouter.session.auth import Grant
    from fastrouter.session.seated import Seat

__all__ = ["VERSION", "Arrival", "Refused", "Request", "admit", "healthy", "read", "refusal"]


VERSION = "13"  # of the protocol, RFC 6455
KEY_BYTES = 16


class Request(NamedTuple):
    """What the handshake looks at."""

    path: str
    query: dict[str, list[str]]
    upgrade: bool
    address: str = ""  # the client's, behind however many proxies
    origins: tuple[str, ...] = ()
    authorization: str | None = None
    version: str = ""  # Sec-WebSocket-Version
    key: str = ""  # Sec-WebSocket-Key

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter, None without one."""
        values = self.query.get(name)
        return values[-1] if values else None


class Arrival(NamedTuple):
    """What a listener is told of the request that made it."""

    address: str
    path: str
    opening: Opening
    terms: Terms
    grant: Grant | None = None
    variable: str | None = None  # what the path's stands for
    seat: Seat | None = None  # in the route's venue


class Refused(Exception):
    """A request that gets no session; `code` is for programs, by default the status's name."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code or status.name
        self.headers = {**HEADERS.get(status, {}), **(headers or {})}


#: what a status says beside its body
HEADERS = {
    HTTPStatus.UPGRADE_REQUIRED: {"Upgrade": "websocket", "Sec-WebSocket-Version": VERSION},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="fastrouter"'},
}


# ----------------------------------------------------------------------- reading


def read(request: WSUpgradeRequest, address: str = "") -> Request:
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
        address,
        tuple(request.headers.getall("Origin", [])),
        request.headers.get("Authorization"),
        request.headers.get("Sec-WebSocket-Version", ""),
        request.headers.get("Sec-WebSocket-Key", ""),
    )


def _tokens(request: WSUpgradeRequest, name: str) -> list[str]:
    return [token.strip().lower() for token in request.headers.get(name, "").split(",")]


# ---------------------------------------------------------------------- checking


def admit(server: Server, request: Request) -> Arrival | None:
    """What the session begins with; None when only our health was asked for. Raises Refused."""
    _is_not_draining(server, request)
    if request.path == "/healthz":
        return None
    for check in CHECKS:
        check(server, request)
    found = _found(server, request)
    try:
        opening = Opening.read(request.parameter)
        terms = server.book.of(found.route, request.parameter("dialect"))
    except (MessageError, ConfigError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
    grant = _grant(server, request, opening.strategy_id)
    seat = _seat(found.route, request, opening, terms, grant)
    # but for variables a path is one of a few: all sessions share it
    path = sys.intern(request.path) if found.value is None else request.path
    return Arrival(request.address, path, opening, terms, grant, found.value, seat)


def _found(server: Server, request: Request) -> Found:
    found = server.routes.find(request.path)
    if found is None:
        raise Refused(
            HTTPStatus.NOT_FOUND,
            f"no such path: {request.path}; allowed: {', '.join(server.routes.paths)}",
        )
    return found


def _path_exists(server: Server, request: Request) -> None:
    _found(server, request)


def _is_an_upgrade(server: Server, request: Request) -> None:
    if not request.upgrade:
        raise Refused(HTTPStatus.UPGRADE_REQUIRED, "this is a WebSocket endpoint")
    if request.version != VERSION:
        raise Refused(
            HTTPStatus.UPGRADE_REQUIRED,
            f"Sec-WebSocket-Version is {request.version!r}; allowed: {VERSION}",
        )


def _has_a_key(server: Server, request: Request) -> None:
    """RFC 6455, 4.1: 16 bytes in base64."""
    with contextlib.suppress(ValueError):
        if len(b64decode(request.key, validate=True)) == KEY_BYTES:
            return
    raise Refused(HTTPStatus.BAD_REQUEST, "malformed Sec-WebSocket-Key; allowed: 16 bytes, base64")


def _origin_is_allowed(server: Server, request: Request) -> None:
    if not server.origins.allow(request.origins):
        raise Refused(HTTPStatus.FORBIDDEN, "this origin is not allowed")


def _dialect_is_registered(server: Server, request: Request) -> None:
    dialect, names = request.parameter("dialect"), server.group.shelf.names
    if dialect is not None and dialect not in names:
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"dialect {dialect[:100]!r} is not registered; allowed: {', '.join(names)}",
        )


def _is_not_draining(server: Server, request: Request) -> None:
    if server.draining is not None:
        seconds = str(math.ceil(server.draining.retry_after()))
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "draining", headers={"Retry-After": seconds})


def _there_is_room(server: Server, request: Request) -> None:
    if server.crowd.full:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")
    if server.crowd.crowded(request.address):
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many connections from this address")


Check = Callable[["Server", Request], None]

CHECKS: tuple[Check, ...] = (
    _path_exists,
    _is_an_upgrade,
    _has_a_key,
    _origin_is_allowed,
    _there_is_room,
    _dialect_is_registered,
)


def _grant(server: Server, request: Request, strategy_id: str | None) -> Grant | None:
    """What the request's token grants; None without one, which the session settles.

    It may be of a strategy's process, and then of that strategy's session alone.
    """
    verifier = server.group.admission.verifier
    if verifier is None:
        return None
    try:
        token = _bearer(request.authorization) or request.parameter("token")
        if token is None:
            return None
        grant = verifier.verify(token, server.router.clock.time_ns() / 1e9)
        grant.check_strategy(strategy_id)
    except AuthError as error:
        status = TOKENLESS.get(error.code, HTTPStatus.UNAUTHORIZED)
        raise Refused(status, str(error), error.code) from None
    return grant


#: why a token does not let one in -> the status; 401 for any other code
TOKENLESS = {"FORBIDDEN": HTTPStatus.FORBIDDEN}


def _seat(
    route: Route, request: Request, opening: Opening, terms: Terms, grant: Grant | None
) -> Seat | None:
    """A seat in the route's venue, if it has one."""
    if route.venue is None:
        return None
    try:
        if opening.subscriptions is not None:
            parse(opening.subscriptions, terms.rules.default_timeframe)
        unproven = "" if terms.rules.verifier is not None else None
        subject = grant.subject if grant is not None else unproven
        return route.venue.admit(request.query, request.parameter, subject)
    except (MessageError, SubscriptionError) as error:
        status = SEATLESS.get(error.code, HTTPStatus.BAD_REQUEST)
        raise Refused(status, str(error), error.code) from None


#: why there is no seat -> the status; 400 for any other code
SEATLESS = {
    "NO_SUCH_RUN": HTTPStatus.NOT_FOUND,
    "NO_SUCH_MEMBER": HTTPStatus.NOT_FOUND,
    "NO_SUCH_DATASET": HTTPStatus.NOT_FOUND,
    "RUN_FULL": HTTPStatus.CONFLICT,
    "LIMIT_EXCEEDED": HTTPStatus.SERVICE_UNAVAILABLE,
}


def _bearer(authorization: str | None) -> str | None:
    """The token of ``Authorization: Bearer <token>`` (RFC 6750, 2.1)."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthError("Authorization must be: Bearer <token>")
    return token.strip()


# --------------------------------------------------------------------- answering


def refusal(refused: Refused) -> WSUpgradeResponseWithListener:
    """An HTTP error with a JSON body ``{"code", "message"}``."""
    headers = {"Content-Type": "application/json", **refused.headers}
    body = json.dumps({"code": refused.code, "message": str(refused)}).encode() + b"\n"
    return WSUpgradeResponseWithListener(
        WSUpgradeResponse.create_error_response(refused.status, body, headers), None
    )


def healthy() -> WSUpgradeResponseWithListener:
    """200 for ``/healthz``."""
    return WSUpgradeResponseWithListener(
        WSUpgradeResponse.create_ok_response(
            b'{"status":"ok"}\n', {"Content-Type": "application/json"}
        ),
        None,
    )
