"""The control port: an HTTP server on the loop that runs already."""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import Any

from fastrouter.control.timely import Timely
from fastrouter.control.web import Web
from fastrouter.errors import ConfigError

__all__ = ["Port"]

REQUEST_SECONDS = 10.0  # for a request to be whole
MOST = 100  # connections; operators are few, and descriptors are the sessions'


class Port:
    """Serves an ASGI application until `close`. Made by `open`."""

    def __init__(self, web: Web, host: str, port: int) -> None:
        self._web = web
        self.host = host
        self.port = port

    @classmethod
    async def open(cls, app: Any, host: str, port: int) -> Port:
        """Listen; port 0 takes a free one. Raises ConfigError when it cannot be had."""
        listening = _bind(host, port)
        http = partial(Timely, REQUEST_SECONDS, MOST)
        web = await Web.start(app, [listening], http=http)
        return cls(web, host, listening.getsockname()[1])

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stop; requests under way have a second."""
        await self._web.close()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family)
    except OSError as error:
        # not strerror, to which Python adds the address; names that are unknown have codes below 0
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigError(
            f"cannot listen on {host}:{port}: {reason}", code="ADDRESS_UNAVAILABLE"
        ) from None
    # what it accepts inherits it; asyncio sets it only where the protocol has a number
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
