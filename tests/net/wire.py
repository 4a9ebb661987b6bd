"""A plain client: bytes on a socket, so that what the tests see is what is on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HEADERS = (
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n"
)
MASK = b"\x01\x02\x03\x04"


def frame(payload: bytes, opcode: int = 1, *, fin: bool = True, masked: bool = True,
          rsv: int = 0, length: int | None = None) -> bytes:  # fmt: skip
    """One client frame; `length` claims another size than the payload has."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    flag = 0x80 if masked else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 65536:
        head += bytes([flag | 126]) + struct.pack(">H", size)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    return head + MASK + bytes(b ^ MASK[i % 4] for i, b in enumerate(payload))


async def turns(count: int = 3) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


def _small_socket(port: int) -> socket.socket:
    """A connected socket whose receive buffer is soon full, so that stalls are cheap to make."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.setblocking(False)
    return sock


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something holds; the test's time limit ends what never does."""
    while not condition():  # noqa: ASYNC110 -- what is looked at tells nobody
        await asyncio.sleep(0.001)


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(
        cls,
        port: int,
        target: str = "/ws",
        headers: str = HEADERS,
        tls: ssl.SSLContext | None = None,
    ) -> Wire:
        """Connect and send the handshake; read its answer with `response`."""
        name = None if tls is None else "localhost"
        stream = asyncio.open_connection(sock=_small_socket(port), ssl=tls, server_hostname=name)
        wire = cls(*await stream)
        wire.send(f"GET {target} HTTP/1.1\r\n{headers}\r\n".encode())
        return wire

    @classmethod
    async def session(
        cls, port: int, target: str = "/ws", tls: ssl.SSLContext | None = None
    ) -> Wire:
        """Connect, and read up to and with the welcome."""
        wire = await cls.open(port, target, tls=tls)
        status, headers = await wire.response()
        assert status == 101
        assert headers["sec-websocket-accept"] == ACCEPT
        welcome = await wire.message()
        assert (welcome["type"], welcome["event"]) == ("connection", "CONNECTED")
        return wire

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def say(self, message: Any) -> None:
        self.send(frame(json.dumps(message).encode()))

    async def response(self) -> tuple[int, dict[str, str]]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.strip().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return int(status.split()[1]), {name.lower(): value for name, value in pairs}

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. It must be whole and unmasked."""
        first, second = await self.reader.readexactly(2)
        assert first & 0xF0 == 0x80
        assert second < 0x80
        size = second
        if size == 126:
            (size,) = struct.unpack(">H", await self.reader.readexactly(2))
            assert size >= 126
        elif size == 127:
            (size,) = struct.unpack(">Q", await self.reader.readexactly(8))
            assert size >= 65536
        return first & 0xF, await self.reader.readexactly(size)

    async def message(self) -> dict[str, Any]:
        """The next text message."""
        opcode, payload = await self.frame()
        assert opcode == 1, (opcode, payload)
        found: dict[str, Any] = json.loads(payload)
        return found

    async def closed(self) -> tuple[int, str]:
        """Read up to the close frame: its code and reason."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 8:
                return struct.unpack(">H", payload[:2])[0], payload[2:].decode()

    async def end(self) -> None:
        """The server hangs up."""
        while await self.reader.read(65536):
            pass

    async def bye(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):  # ssl.SSLError is one
            await self.writer.wait_closed()
