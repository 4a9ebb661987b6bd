"""One HTTP/1.1 connection of a loop: a request, its answer, the next (RFC 9112).

In the loop and not in a thread, whose hand-over costs several times the exchange itself.
"""

from __future__ import annotations

import asyncio
import re
import select
import ssl
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Answer", "Line", "NotHttp"]

MOST_BYTES = 64 << 20  # of an answer's body
HEAD_BYTES = 64 << 10
STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: |\r\n)")
LENGTH = re.compile(rb"\d{1,12}")
CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
BODILESS = (204, 304)


class NotHttp(ConnectionError):
    """What came is no answer of HTTP/1.1; to ask again would not help."""


class Answer(NamedTuple):
    """A status, and the whole body."""

    status: int
    body: bytes


class Line:
    """Opens when it is needed, and again after the server has hung up. One request at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._closed = False  # for good
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, request: bytes) -> Answer:
        """Send a whole request, and read its answer. Raises OSError, NotHttp among them.

        After an error, and after being canceled, the connection is closed.
        """
        try:
            reader = await self._open()
            assert self._writer is not None
            self._writer.write(request)
            answer, keep = await _read(reader)
        except asyncio.IncompleteReadError:
            self.close()
            raise ConnectionResetError("the server hung up") from None
        except asyncio.LimitOverrunError:
            self.close()
            raise NotHttp("the answer's head has no end") from None
        except BaseException:
            self.close()
            raise
        if not keep:
            self.close()
        return answer

    def close(self) -> None:
        """Hang up. Whoever waits for an answer gets an error."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.transport.abort()

    async def aclose(self) -> None:
        """Hang up for good, and return when that is done."""
        self._closed = True
        writer = self._writer
        self.close()
        if writer is not None:
            with suppress(OSError):
                await writer.wait_closed()

    async def _open(self) -> asyncio.StreamReader:
        if self._writer is not None and self._reader is not None:
            if not _has_something_to_say(self._writer):
                return self._reader
            self.close()
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, limit=HEAD_BYTES
        )
        if self._closed:  # meanwhile; `exchange` hangs up
            raise ConnectionAbortedError("the connection is closed")
        return self._reader


def _has_something_to_say(writer: asyncio.StreamWriter) -> bool:
    """Unasked: that it hangs up, which the loop may not know yet."""
    if writer.is_closing():
        return True  # the loop knows; there may be no socket any more
    watch = select.poll()
    watch.register(writer.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(watch.poll(0))


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """An answer, and whether another may follow it."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        found = STATUS.match(head)
        if found is None:
            raise NotHttp("the server does not speak HTTP/1.1")
        status = int(found[2])
        if status >= 200:
            break
    fields = _fields(head)
    keep = found[1] == b"1" and fields.get(b"connection", b"").lower() != b"close"
    if status in BODILESS:
        return Answer(status, b""), keep
    if b"transfer-encoding" in fields:
        return Answer(status, await _chunks(reader, fields[b"transfer-encoding"])), keep
    if b"content-length" in fields:
        size = _size(LENGTH.fullmatch(fields[b"content-length"]), 10)
        return Answer(status, await reader.readexactly(size)), keep
    return Answer(status, await _rest(reader)), False


def _fields(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}


def _size(found: re.Match[bytes] | None, base: int) -> int:
    if found is None:
        raise NotHttp("the answer does not say how long it is")
    size = int(found[found.lastindex or 0], base)
    if size > MOST_BYTES:
        raise NotHttp(f"the answer has {size} bytes; allowed: {MOST_BYTES}")
    return size


async def _chunks(reader: asyncio.StreamReader, coding: bytes) -> bytes:
    if coding.lower() != b"chunked":
        raise NotHttp(f"the answer is coded as {coding[:100]!r}")
    body = bytearray()
    while size := _size(CHUNK.fullmatch(await reader.readuntil(b"\r\n")), 16):
        body += (await reader.readexactly(size + 2))[:-2]
        if len(body) > MOST_BYTES:
            raise NotHttp(f"the answer has more than {MOST_BYTES} bytes")
    while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
        pass
    return bytes(body)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server hangs up."""
    body = bytearray()
    while part := await reader.read(HEAD_BYTES):
        body += part
        if len(body) > MOST_BYTES:
            raise NotHttp(f"the answer has more than {MOST_BYTES} bytes")
    return bytes(body)
