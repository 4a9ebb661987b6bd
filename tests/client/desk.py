"""A desk of a few lines on a plain socket: what it was asked, byte for byte, and what it says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HANG_UP = None  # instead of an answer
ORDER = {
    "id": "o-1",
    "client_order_id": "c-1",
    "symbol": "C:BTCUSD",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
    "status": "accepted",
    "qty": "1.5",
    "filled_qty": "0",
    "filled_avg_price": None,
    "asset_class": "crypto",
}


class Asked(NamedTuple):
    """A request."""

    line: str
    headers: dict[str, str]
    body: Any


class Desk:
    """Answers each request with the next of `answers`: (status, JSON), bytes, or HANG_UP."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []
        self.connections = 0

    @property
    def lines(self) -> list[str]:
        return [one.line for one in self.asked]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while await self.serve(reader, writer):
            pass

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; False when that was the last."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        size = int(headers.get("content-length", 0))
        body = json.loads(await reader.readexactly(size)) if size else None
        self.asked.append(Asked(line.removesuffix(" HTTP/1.1"), headers, body))
        answer = self.answers.pop(0)
        if answer is HANG_UP:
            return False
        if not isinstance(answer, bytes):
            status, said = answer
            content = b"" if said is None else json.dumps(said).encode()
            answer = f"HTTP/1.1 {status} -\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            answer += content
        writer.write(answer)
        await writer.drain()
        return True


@asynccontextmanager
async def at(serve: Handler, **options: Any) -> AsyncIterator[str]:
    """It listens until the block ends; yields its URL. Then all its connections are done with."""
    serving = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append((asyncio.create_task(handle(reader, writer)), writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, **options)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task, writer in serving:
            task.cancel()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()
