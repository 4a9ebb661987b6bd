"""Clients that send orders at a pace, and sessions that time quotes: what the orders bench uses."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import datetime
from typing import Any

from .inputs import HANDSHAKE, lines
from .swarm import BEAT, PONG, payloads

SAMPLE = 4  # one quote in so many is timed
STAMP = b'"timestamp":"'
STAMP_SIZE = len("2025-01-01T00:00:00.000000Z")


class Mix:
    """What one who trades asks for: a unit of a symbol, bought and sold in turn; some rest.

    So the account stays where it is. `name` is whose orders they are, and what chance follows.
    """

    def __init__(self, name: int | str, symbol: str) -> None:
        self.random = random.Random(name)
        self._name = name
        self._symbol = symbol
        self._count = 0

    def order(self) -> dict[str, str]:
        """The next one, by the fields of the trading API."""
        self._count += 1
        sells = self._count % 2 == 0
        fields = {
            "symbol": self._symbol,
            "side": "sell" if sells else "buy",
            "qty": "1",
            "type": "market",
            "time_in_force": "gtc",
            "client_order_id": f"b{self._name}-{self._count}-{self.random.getrandbits(32)}",
        }
        if self.random.random() < 0.25:
            price = "100000" if sells else "0.01"
            fields |= {"type": "limit", "limit_price": price, "time_in_force": "ioc"}
        return fields


class Trader:
    """One kept connection; orders every `interval` s from a moment of its own on.

    Latencies are in ms, from when an order was due: one that is late because the one
    before it was, shows.
    """

    def __init__(self, number: int, port: int, interval: float, symbols: list[str]) -> None:
        self._mix = Mix(number, symbols[number % len(symbols)])
        self._port = port
        self._interval = interval
        self.latencies: list[float] = []
        self.accepted: dict[str, str] = {}
        self.refused: list[str] = []

    async def trade(self, seconds: float) -> None:
        """Send orders for so long."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        begun = time.perf_counter()
        due = begun + self._mix.random.random() * self._interval
        try:
            while due < begun + seconds:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await self._order(reader, writer, due)
                due += self._interval
        finally:
            writer.close()
            await writer.wait_closed()

    async def _order(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, due: float
    ) -> None:
        fields = self._mix.order()
        writer.write(request("POST", "/v2/orders", fields))
        status, body = await response(reader)
        self.latencies.append((time.perf_counter() - due) * 1e3)
        if status == 200:
            self.accepted[fields["client_order_id"]] = body["id"]
        else:
            self.refused.append(f"{status} {body}")


def request(method: str, path: str, fields: dict[str, Any] | None = None) -> bytes:
    """HTTP/1.1, kept alive."""
    body = b"" if fields is None else json.dumps(fields).encode()
    head = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return lines(head) + body


async def response(reader: asyncio.StreamReader) -> tuple[int, Any]:
    """Status and JSON body."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    size = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    body = await reader.readexactly(size)
    return status, json.loads(body) if body else None


class Listener(asyncio.Protocol):
    """A session that holds all quotes; `latencies` are ms from a quote's time to its arrival."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.live = asyncio.Event()
        self.quotes = 0
        self._rest = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        target = "/ws?subscriptions=*:quote"
        transport.write(lines([HANDSHAKE[0].format(target=target), *HANDSHAKE[1:]]))
        self._beat()

    def _beat(self) -> None:
        """A sign of life, from time to time."""
        if not self._transport.is_closing():
            if self.live.is_set():
                self._transport.write(PONG)
            asyncio.get_running_loop().call_later(BEAT, self._beat)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        data = self._rest + data
        at = 0
        if not self.live.is_set():
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            self.live.set()
        for payload, end in payloads(data, at):
            at = end
            self.quotes += 1
            if self.quotes % SAMPLE == 0:
                self._time(payload, now)
        self._rest = data[at:]

    def _time(self, payload: bytes, now: float) -> None:
        start = payload.rfind(STAMP)
        if start < 0 or b'"snapshot"' in payload or not payload.startswith(b'{"type":"quote"'):
            return
        start += len(STAMP)
        stamp = datetime.fromisoformat(payload[start : start + STAMP_SIZE].decode())
        self.latencies.append((now - stamp.timestamp()) * 1e3)

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()
