"""A server that echoes text and binary messages through our own listener.

What protocol test suites talk to: frames, fragments, pings, closes and the checks of UTF-8 are
those of every endpoint; only what a message means is not.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from typing import Any

import uvloop

from fastrouter import Router
from fastrouter.net.endpoint import Endpoint
from fastrouter.net.route import Route
from fastrouter.net.server import Server

MAX_MESSAGE = 16 << 20  # bytes
WAITING = 4  # messages of the longest kind that one peer may leave unread
TEXT, BINARY = 1, 2
FOREVER = 1 << 62  # ns; no heartbeat speaks into an echo


class EchoSession:
    """Answers each message with itself. In place of `fastrouter.session.session.Session`."""

    deadline = FOREVER

    def __init__(self, outbox: Any) -> None:
        self.id = "echo"
        self.outbox = outbox

    def receive(self, data: bytes, now: int) -> None:
        """Take one text message."""
        self.outbox.control(data, TEXT)

    def receive_binary(self, data: bytes, now: int) -> None:
        """Take one binary message."""
        self.outbox.control(data, BINARY)

    def alive(self, now: int) -> None:
        """A ping or a pong came."""

    def tick(self, now: int) -> None:
        """Nothing is due, ever."""

    def drain(self) -> None:
        """Nothing to say."""


class EchoServer(Server):
    """A server of echo sessions."""

    def connected(self, listener: Any, arrival: Any) -> Any:
        """A connection is open: it gets an echo."""
        self._listeners.add(listener)
        return EchoSession(listener.outbox)

    def begin(self, listener: Any, arrival: Any) -> None:
        """An echo says nothing of its own."""


async def serve(host: str, port: int, limit: int = MAX_MESSAGE) -> EchoServer:
    """Listen, for messages of up to `limit` bytes. The caller closes the server."""
    router = Router(outbox_bytes=WAITING * limit)
    endpoint = Endpoint(host, port, (Route("/"),), max_message_bytes=limit)
    return await EchoServer.start(router.group(), endpoint)


async def _run(host: str, port: int) -> None:
    server = await serve(host, port)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"PORT {server.port}", flush=True)
    await stop.wait()
    await server.close(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; prints ``PORT n`` once it listens."""
    parser = argparse.ArgumentParser(prog="fastrouter bench echo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9001, help="0 is any free one")
    options = parser.parse_args(arguments)
    uvloop.run(_run(options.host, options.port))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
