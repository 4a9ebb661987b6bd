"""The control port: an HTTP server on the loop that runs already."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from fastrouter.errors import ConfigError

__all__ = ["Port"]

CLOSE_SECONDS = 1  # for requests that are under way when it closes


class Port:
    """Serves an ASGI application until `close`. Made by `open`."""

    def __init__(self, server: uvicorn.Server, host: str, listening: socket.socket) -> None:
        self._server = server
        self._socket = listening
        self.host = host
        self.port: int = listening.getsockname()[1]
        self._task = asyncio.create_task(server.serve(sockets=[listening]), name="control")

    @classmethod
    async def open(cls, app: Any, host: str, port: int) -> Port:
        """Listen; port 0 takes a free one. Raises ConfigError when it cannot be had."""
        listening = _bind(host, port)
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        opened = cls(_Server(config), host, listening)
        while not (opened._server.started or opened._task.done()):  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0)
        return opened

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stop; requests under way have a second."""
        self._server.should_exit = True
        await self._task


class _Server(uvicorn.Server):
    """Leaves signals to whoever has the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        # not strerror, to which Python adds the address; names that are unknown have codes below 0
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigError(
            f"cannot listen on {host}:{port}: {reason}", code="ADDRESS_UNAVAILABLE"
        ) from None
