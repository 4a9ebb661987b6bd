"""uvicorn's HTTP, within bounds: uvicorn itself waits for ever, and takes a head of any length."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import httptools

from fastrouter.control.ending import Ending
from fastrouter.control.problem import Problem

__all__ = ["HEAD_BYTES", "Timely"]

HEAD_BYTES = 1 << 16  # of a request, unless it is said; httptools takes no longer targets apart
FRAMING = 16  # bytes around each byte of a body that comes in chunks of one byte, and a few more


class Timely(Ending):
    """One connection. Whoever takes longer than `seconds` for a request is cut.

    So is at once who comes when there are `most` connections already; 0 is no limit. A head, or
    what surrounds the chunks of a body, of more than `head_bytes` is refused.
    """

    def __init__(
        self, seconds: float, most: int = 0, head_bytes: int = HEAD_BYTES, **uvicorn: Any
    ) -> None:
        super().__init__(**uvicorn)
        self._seconds = seconds
        self._most = most
        self._head_bytes = head_bytes
        self._cut: asyncio.TimerHandle | None = None  # unless the request is whole by then
        self._in_head = True
        self._whole = False  # the request that came last
        self._room = head_bytes  # for what is neither a head that was whole in time nor body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self._most and len(self.connections) >= self._most:
            transport.abort()
            return
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is None:  # it was never one of ours
            return
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.over:
            return
        self._room -= len(data)
        while data:
            data = self._parse(data)
        if not self._whole and self._room < 0:
            self.refuse(self._too_long())
        self._look()

    def eof_received(self) -> bool:  # type: ignore[override]
        kept = super().eof_received()
        if self.over:  # what is half by now is not waited for
            self._unwatch()
        return kept

    @property
    def unfinished(self) -> bool:
        """Is there no request, or one that is not whole?"""
        return not (self._whole or self.over)

    def _parse(self, data: bytes) -> bytes:
        """Take it; what is left of it stands behind a request for another protocol."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.refuse(_problem(error))
        except httptools.HttpParserUpgrade as upgrade:
            (place,) = upgrade.args
            return self._upgrade(data[place:])
        return b""

    def _upgrade(self, behind: bytes) -> bytes:
        """Another protocol is asked for, which we do not speak: HTTP goes on.

        The parser has stopped behind the head, even where a body follows: another one is to read
        the same request without what asks for it (Java's client asks for h2c in each).
        """
        if self.scope["method"] == "CONNECT":
            self.send_400_response("CONNECT is not supported")
            return b""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        return self.head((b"upgrade",)) + behind

    def head(self, without: Collection[bytes] = ()) -> bytes:
        """The request's first line and headers, but for some, which `Connection` does not name."""
        method, version = self.scope["method"].encode(), self.scope["http_version"].encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        for name, value in self.headers:
            if name == b"connection" and without:
                tokens = (token.strip() for token in value.split(b","))
                value = b", ".join(token for token in tokens if token.lower() not in without)
            if name not in without:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"\r\n"])

    def _too_long(self) -> Problem:
        if self._in_head:
            message = f"the request's head is too long; allowed: {self._head_bytes} bytes"
            return Problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, message)
        message = f"more than {self._head_bytes} bytes around the chunks of its body"
        return Problem(HTTPStatus.BAD_REQUEST, message)

    def _look(self) -> None:
        """After something came: is a request whole, or does one begin?"""
        if self._whole or self.over:
            self._unwatch()
        elif self._cut is None:
            self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.unfinished:  # the next one has begun: it has `seconds`
            self._unset_keepalive_if_required()
            self._unwatch()
            self._watch()

    # ------------------------------------------------------------- what the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._in_head, self._whole = True, False

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) >= self._head_bytes:
            raise self._too_long()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # behind a body nobody asks for them
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts != 1 and (hosts or self.parser.get_http_version() >= "1.1"):  # RFC 9112, 3.2
            raise Problem(HTTPStatus.BAD_REQUEST, f"one Host is needed; there are {hosts}")
        self._room = self._head_bytes
        if self.parser.should_upgrade():  # the parser stops here, and says so to `data_received`
            self.scope["method"] = self.parser.get_method().decode()
            self.scope["http_version"] = self.parser.get_http_version()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._room += FRAMING * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._whole = True
        self._room = self._head_bytes
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _watch(self) -> None:
        self._cut = self.loop.call_later(self._seconds, self._late)

    def _late(self) -> None:
        if self.flow.read_paused:  # it is we who do not read, while others before it are answered
            self._watch()
        else:
            self.transport.abort()

    def _unwatch(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None


def _problem(error: httptools.HttpParserError) -> Problem:
    """What is wrong, in words."""
    reason = str(error)
    if isinstance(error, httptools.HttpParserCallbackError):  # raised by what we do with it
        if isinstance(error.__context__, Problem):
            return error.__context__
        reason = "its target is none"
    return Problem(HTTPStatus.BAD_REQUEST, f"this is not HTTP: {reason}")
