"""uvicorn on the loop that runs already."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

import uvicorn

__all__ = ["Web"]

CLOSE_SECONDS = 1  # for requests that are under way when it closes

P = TypeVar("P", bound=asyncio.Protocol)


class Web:
    """Serves an ASGI application until `close`. Made by `start`."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        self._config = config
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=sockets), name="web")

    @classmethod
    async def start(
        cls,
        app: Any,
        sockets: Iterable[socket.socket] = (),
        http: Any = "httptools",
    ) -> Self:
        """Accept at these sockets; at none, whoever accepts asks for a `protocol` each time.

        `http` makes the protocols of connections that come in at the sockets.
        """
        config = uvicorn.Config(
            app,
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        started = cls(config, list(sockets))
        while not (started._server.started or started._task.done()):  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0)
        return started

    def protocol(self, make: Callable[..., P]) -> P:
        """A protocol of uvicorn's for one connection; `make` takes what its classes take."""
        return make(
            config=self._config,
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )

    async def close(self) -> None:
        """Stop; requests under way have a second, those that are not whole yet none."""
        for connection in list(self._server.server_state.connections):
            if getattr(connection, "unfinished", False):
                connection.transport.abort()
        self._server.should_exit = True
        await self._task


class _Server(uvicorn.Server):
    """Leaves signals to whoever has the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
