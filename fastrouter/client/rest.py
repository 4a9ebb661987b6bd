"""What a program asks of a server by HTTP, often: JSON there and back, over one connection."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from fastrouter.client.address import shown
from fastrouter.client.backoff import Backoff
from fastrouter.client.http import Answer, Line, NotHttp
from fastrouter.client.surroundings import Surroundings
from fastrouter.errors import AuthError, ConnectionFailed, FastrouterError, OrderError

__all__ = ["Rest"]

ATTEMPTS = 4
WAITS = (0.05, 2.0)  # s between attempts
UNAVAILABLE = 503  # nothing was done; to ask again may help
#: codes that are about who asks, whatever the status
OF_THE_TOKEN = frozenset({"NOT_AUTHENTICATED", "TOKEN_EXPIRED", "FORBIDDEN", "UNAUTHORIZED"})
PORTS = {"http": 80, "https": 443}


class Rest:
    """Asks one server. Requests go out in the order they were made, one after another's answer.

    `aclose` it. `timeout` is seconds for each attempt. Raises ConnectionFailed for a token that
    no header can have.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        timeout: float = 10.0,
        ssl_context: ssl.SSLContext | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        parts = urlsplit(url)
        self.name = shown(url)
        self.path = parts.path.rstrip("/")
        self._head = _head(parts.netloc.rpartition("@")[2], token)
        tls = None
        if parts.scheme == "https":
            tls = ssl_context or ssl.create_default_context()
        self._line = Line(parts.hostname or "", parts.port or PORTS[parts.scheme], tls)
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._surroundings = surroundings or Surroundings()
        self._closed = False

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        *,
        again: bool,
        key: str | None = None,
    ) -> Any:
        """The answer's JSON, None when it has none.

        `again`: it does no harm to ask twice, so a lost answer is asked for again; `key` tells
        the server that what comes twice is one. Raises
        OrderError for what the desk refuses, AuthError for what we may not, with the server's
        code, and ConnectionFailed when there is no answer.
        """
        request = self._request(method, path, body, query, key)
        async with self._turn:
            answer = await self._persist(request, again)
        return _read(answer.status, answer.body, self.name)

    async def aclose(self) -> None:
        """Hang up; a request under way has failed. Calling it again is free."""
        self._closed = True
        await self._line.aclose()

    # ---- inside

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, Any] | None,
        key: str | None,
    ) -> bytes:
        target = self.path + path
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if given:
            target += f"?{urlencode(given)}"
        data = b"" if body is None else _json(body)
        length = b"" if body is None else b"Content-Length: %d\r\n" % len(data)
        named = b"" if key is None else b"Idempotency-Key: %b\r\n" % key.encode()
        return b"%b %b HTTP/1.1\r\n%b%b%b\r\n%b" % (
            method.encode(), target.encode(), self._head, named, length, data,
        )  # fmt: skip

    async def _persist(self, request: bytes, again: bool) -> Answer:
        """The answer, after some attempts where they do no harm. Raises ConnectionFailed."""
        backoff = Backoff(*WAITS, self._surroundings.random)
        for left in reversed(range(ATTEMPTS)):
            if self._closed:
                raise ConnectionFailed("it is closed", code="CLOSED")
            try:
                async with asyncio.timeout(self._timeout):
                    answer = await self._line.exchange(request)
            except OSError as error:
                if not left or not _may_ask_again(error, again):
                    raise self._unreachable(error) from None
            else:
                if answer.status != UNAVAILABLE or not left or not again:
                    return answer
            await self._surroundings.sleep(backoff.delay())
        raise AssertionError("the last attempt returns or raises")

    def _unreachable(self, error: OSError) -> ConnectionFailed:
        # not strerror, to which asyncio adds the address; names that are unknown have codes below 0
        known = (error.errno or 0) > 0
        text = os.strerror(error.errno or 0) if known else error.strerror or str(error)
        if isinstance(error, TimeoutError):
            text = f"no answer within {self._timeout:g} s"
        return ConnectionFailed(f"cannot reach {self.name}: {' '.join(text.split())}")


def _may_ask_again(error: OSError, again: bool) -> bool:
    """Nobody has heard of what was refused; whoever speaks something else will not learn it."""
    if isinstance(error, NotHttp | ssl.SSLCertVerificationError):
        return False
    return again or isinstance(error, ConnectionRefusedError)


def _head(host: str, token: str | None) -> bytes:
    """The fields that all requests have."""
    fields = {"Host": host, "Accept": "application/json", "Content-Type": "application/json"}
    if token is not None:
        if not (token.isascii() and token.isprintable()):
            raise ConnectionFailed("the token cannot be sent", code="INVALID_TOKEN")
        fields["Authorization"] = f"Bearer {token}"
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()


def _json(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, default=str)
    except TypeError as error:
        raise OrderError(f"that is not JSON: {error}") from None


def _read(status: int, content: bytes, name: str) -> Any:
    """The JSON of an answer that is none of a refusal."""
    try:
        said = orjson.loads(content) if content else None
    except ValueError:
        said = None
        if status < 400:
            raise ConnectionFailed(f"{name} is no desk: it answers without JSON") from None
    if status < 400:
        return said
    raise _refusal(status, said, name)


def _refusal(status: int, said: Any, name: str) -> FastrouterError:
    """What the server says, as an exception; of an answer that is not a desk's, its status."""
    body = said if isinstance(said, dict) and "message" in said else {}
    code, message = str(body.get("code", f"HTTP_{status}")), str(body.get("message", ""))
    if status == 401 or code in OF_THE_TOKEN:
        return AuthError(message or f"{name} answers HTTP {status}", code=code)
    if body and 400 <= status < 500:
        return OrderError(message, code=code)
    text = f"{name} answers HTTP {status}" + (f": {message}" if message else "")
    return ConnectionFailed(text, code=code if body else None, http_status=status)
