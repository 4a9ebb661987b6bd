"""One HTTP connection that is kept open, for a program that asks often."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from fastrouter.client.address import shown
from fastrouter.client.backoff import Backoff
from fastrouter.client.surroundings import Surroundings
from fastrouter.errors import AuthError, ConnectionFailed, FastrouterError, OrderError

__all__ = ["Rest"]

ATTEMPTS = 4
WAITS = (0.05, 2.0)  # s between attempts
UNAVAILABLE = 503  # nothing was done; to ask again may help
#: codes that are about who asks, whatever the status
OF_THE_TOKEN = frozenset({"NOT_AUTHENTICATED", "TOKEN_EXPIRED", "FORBIDDEN", "UNAUTHORIZED"})

LOST = (OSError, HTTPException)


class Rest:
    """Asks one server, from a thread of its own: requests go out in the order they were made.

    `aclose` it. `timeout` is seconds for each attempt.
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
        self._path = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        host, port = parts.hostname or "", parts.port
        self._connection = (
            HTTPSConnection(host, port, timeout=timeout, context=ssl_context)
            if parts.scheme == "https"
            else HTTPConnection(host, port, timeout=timeout)
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fastrouter rest")
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
    ) -> Any:
        """The answer's JSON, None when it has none.

        `again`: it does no harm to ask twice, so a lost answer is asked for again. Raises
        OrderError for what the desk refuses, AuthError for what we may not, with the server's
        code, and ConnectionFailed when there is no answer.
        """
        if self._closed:
            raise ConnectionFailed("it is closed", code="CLOSED")
        target = self._path + path
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if given:
            target += f"?{urlencode(given)}"
        data = None if body is None else _json(body)
        backoff = Backoff(*WAITS, self._surroundings.random)
        for left in reversed(range(ATTEMPTS)):
            try:
                status, content = await self._exchange(method, target, data)
            except ValueError as error:  # a token with line ends
                raise self._unreachable(error) from None
            except LOST as error:
                if not left or not (again or isinstance(error, ConnectionRefusedError)):
                    raise self._unreachable(error) from None
            else:
                if status != UNAVAILABLE or not left or not again:
                    return _read(status, content, self.name)
            await self._surroundings.sleep(backoff.delay())
        raise AssertionError("the last attempt returns or raises")

    async def aclose(self) -> None:
        """Hang up; a request under way has failed. Calling it again is free."""
        if self._closed:
            return
        self._closed = True
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)

    # ---- in the thread

    async def _exchange(self, method: str, target: str, data: bytes | None) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._send, method, target, data)

    def _send(self, method: str, target: str, data: bytes | None) -> tuple[int, bytes]:
        connection = self._connection
        if connection.sock is not None and _is_dead(connection.sock):
            connection.close()
        headers = self._headers
        if data is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            connection.request(method, target, data, headers)
            with connection.getresponse() as response:
                return response.status, response.read()
        except BaseException:
            connection.close()
            raise

    def _unreachable(self, error: Exception) -> ConnectionFailed:
        text = error.strerror if isinstance(error, OSError) else None
        text = " ".join(str(text or error).split()) or type(error).__name__
        return ConnectionFailed(f"cannot reach {self.name}: {text}")


def _is_dead(kept: socket.socket) -> bool:
    """Has the server hung up meanwhile? Nothing else can be there to read."""
    watch = select.poll()
    watch.register(kept, select.POLLIN)
    return bool(watch.poll(0))


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
