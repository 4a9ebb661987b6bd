"""One WebSocket session, seen from the client: whole messages in, text out.

The only file of the client that knows picows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import orjson
import picows

from fastrouter.client.options import Options
from fastrouter.errors import CloseCode, ConnectionFailed

__all__ = ["Ending", "Unavailable", "Wire", "open_wire"]

logger = logging.getLogger(__name__)

ABNORMAL = 1006  # the peer went without a close frame (RFC 6455, 7.1.5)

#: Handshake answers that may change by waiting; any other below 500 will not.
PASSING_STATUSES = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
#: … and what those mean that are about who asks.
REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "NOT_AUTHENTICATED",
    HTTPStatus.FORBIDDEN: "NOT_ALLOWED",
}

RETRY_AFTER = re.compile(r"\bretry_after=(\d{1,9}(?:\.\d{1,9})?)(?![\d.])", re.ASCII)
WHOLE_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended: the close code (1006 when there was none) and the peer's words."""

    code: int
    reason: str = ""

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the server that drains wants to see us again, if it says so."""
        found = RETRY_AFTER.search(self.reason) if self.code == CloseCode.DRAIN else None
        return float(found[1]) if found else None


class Unavailable(ConnectionRefusedError):
    """The server has no room for us now; ``retry_after`` is when it may have, in seconds."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Wire(picows.WSListener):
    """An open session. ``ended`` is a future for its `Ending`."""

    def __init__(
        self,
        opened: Callable[[Wire], None],
        receive: Callable[[bytes], None],
        max_message_bytes: int,
    ) -> None:
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._opened = opened
        self._receive = receive
        self._max_message_bytes = max_message_bytes
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._paused = False
        self._transport: picows.WSTransport | None = None

    def send(self, text: bytes) -> None:
        """Send one text message; after the end it goes nowhere."""
        if self._transport is not None:
            self._transport.send(picows.WSMsgType.TEXT, text)

    def pause(self) -> None:
        """Stop reading: the kernel's buffers fill, and the server begins to conflate."""
        if self._transport is not None and not self._transport.underlying_transport.is_closing():
            self._transport.underlying_transport.pause_reading()
            self._paused = True

    def resume(self) -> None:
        """Read on."""
        if self._transport is None or not self._paused:
            return
        self._paused = False
        if not self._transport.underlying_transport.is_closing():
            self._transport.underlying_transport.resume_reading()

    def keep_alive(self) -> None:
        """Excuse a missing pong: while reading is paused it cannot be seen."""
        if self._transport is not None:
            self._transport.notify_user_specific_pong_received()

    async def close(self, patience: float) -> None:
        """Close with 1000 and wait up to ``patience`` seconds for the answer."""
        transport = self._transport
        if transport is None:
            return
        self._receive = _drop
        transport.send_close(picows.WSCloseCode.OK)
        self.resume()
        try:
            async with asyncio.timeout(patience):
                await asyncio.shield(self.ended)
        except TimeoutError:
            logger.debug("no answer to the close within %s s", patience)
        finally:
            transport.disconnect(graceful=False)
        await asyncio.shield(self.ended)

    # ---- called by picows

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._transport = transport
        self._opened(self)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        _HANDLERS.get(frame.msg_type, Wire._on_other)(self, transport, frame)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self._transport = None
        if not self.ended.done():
            self.ended.set_result(_ending(transport))

    def pause_writing(self) -> None:
        """The client writes little: nothing to hold back."""

    def resume_writing(self) -> None:
        """See `pause_writing`."""

    # ---- by frame type

    def _on_message(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.fin:
            self._receive(frame.get_payload_as_bytes())
        else:
            self._parts = [frame.get_payload_as_bytes()]
            self._parts_bytes = frame.payload_size

    def _on_continuation(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        self._parts_bytes += frame.payload_size
        if self._parts_bytes > self._max_message_bytes:
            transport.send_close(picows.WSCloseCode.MESSAGE_TOO_BIG)
            transport.disconnect()
            return
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            message, self._parts = b"".join(self._parts), []
            self._receive(message)

    def _on_close(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        transport.send_close(frame.get_close_code())  # no-op when ours was the first
        transport.disconnect()

    def _on_other(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """A pong nobody asked for."""


_HANDLERS: dict[picows.WSMsgType, Callable[[Wire, picows.WSTransport, picows.WSFrame], None]] = {
    picows.WSMsgType.TEXT: Wire._on_message,
    picows.WSMsgType.BINARY: Wire._on_message,
    picows.WSMsgType.CONTINUATION: Wire._on_continuation,
    picows.WSMsgType.CLOSE: Wire._on_close,
}


async def open_wire(
    url: str,
    token: str | None,
    options: Options,
    opened: Callable[[Wire], None],
    receive: Callable[[bytes], None],
) -> Wire:
    """Open a session, with a bearer ``token`` if there is one, and return it.

    ``opened`` is called with it as soon as the handshake is done, ``receive``
    with each whole message after that, maybe before this function returns.
    When cancelled after ``opened``, the caller closes what it was given.
    Raises ConnectionFailed when the server's answer forbids coming back, and
    OSError (TimeoutError among them) when trying again may help.
    """
    sockets: list[socket.socket] = []
    wires: list[Wire] = []

    def upgraded(*_: object) -> Wire:
        wires.append(Wire(opened, receive, options.max_message_bytes))
        return wires[-1]

    async def connected_socket(target: picows.WSParsedURL) -> socket.socket:
        sockets.append(await _connect_tcp(target.host, target.port))
        return sockets[-1]

    headers = {"Authorization": f"Bearer {token}"} if token else None
    try:
        async with asyncio.timeout(options.open_timeout):
            await picows.ws_connect(
                upgraded,
                url,
                ssl_context=options.ssl_context,
                websocket_handshake_timeout=None,
                logger_name=logger,
                enable_auto_ping=True,
                auto_ping_idle_timeout=options.idle_timeout,
                auto_ping_reply_timeout=options.idle_timeout,
                max_frame_size=options.max_message_bytes,
                extra_headers=headers,
                max_redirects=0,
                socket_factory=connected_socket,
                use_aiofastnet=False,
            )
    except picows.WSHandshakeError as error:
        raise _refusal(error) from error
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {options.open_timeout:g} s") from error
    finally:
        if not wires:  # picows leaves the socket open when cancelled in its handshake
            _hang_up(sockets)
    if not wires:
        raise ConnectionResetError("the server hung up during the handshake")
    return wires[-1]


async def _connect_tcp(host: str, port: int) -> socket.socket:
    """A connected, non-blocking socket: the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for family, kind, protocol, _, name in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        candidate = socket.socket(family, kind, protocol)
        candidate.setblocking(False)
        try:
            await loop.sock_connect(candidate, name)
        except OSError as error:
            candidate.close()
            failure = error
        except BaseException:
            candidate.close()
            raise
        else:
            return candidate
    raise failure or OSError(f"{host} has no address")


def _hang_up(sockets: list[socket.socket]) -> None:
    """End what may still be open; its transport sees the end and closes."""
    for open_socket in sockets:
        with contextlib.suppress(OSError):
            open_socket.shutdown(socket.SHUT_RDWR)


def _refusal(error: picows.WSHandshakeError) -> Exception:
    """What a failed handshake means: for good, or for now."""
    if error.response is None:
        return ConnectionResetError(f"the server's answer is no WebSocket handshake: {error}")
    status = int(error.response.status)
    reason = _reason(error.raw_body or b"")
    text = f"the server answered HTTP {status}" + (f": {reason}" if reason else "")
    if status < 400:
        text = f"no WebSocket endpoint is there, check the URL: {text}"
    if status < 500 and status not in PASSING_STATUSES:
        return ConnectionFailed(text, code=REFUSALS.get(status), http_status=status)
    wait = error.response.headers.get("Retry-After", "")
    return Unavailable(text, float(wait) if WHOLE_SECONDS.fullmatch(wait) else None)


def _reason(body: bytes) -> str:
    """What an HTTP error says: the ``message`` of a JSON body, or the beginning of any other."""
    try:
        text = str(orjson.loads(body)["message"])
    except (ValueError, TypeError, KeyError):
        text = body.decode(errors="replace")
    return " ".join(text.split())[:200]


def _ending(transport: picows.WSTransport) -> Ending:
    handshake = transport.close_handshake
    if handshake is None:
        return Ending(ABNORMAL, "the connection was lost")
    said = handshake.recv or handshake.sent
    if said is None:
        return Ending(ABNORMAL, "the connection was lost")
    # picows: an empty close frame reads as 0, which says no more than 1000 does
    return Ending(int(said.code.value) or CloseCode.DONE, said.reason or "")


def _drop(message: bytes) -> None:
    """Where messages go that arrive after we closed."""
