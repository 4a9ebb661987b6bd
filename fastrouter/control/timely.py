"""uvicorn's HTTP, whose requests have to be whole in time: uvicorn itself waits for ever."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fastrouter.control.problem import Problem

__all__ = ["Timely"]

REFUSAL = [(b"content-type", b"application/json"), (b"connection", b"close")]
UNFINISHED = (h11.IDLE, h11.SEND_BODY)  # what a client's request can be


class Timely(H11Protocol):
    """One connection. Whoever takes longer than `seconds` for a request is cut.

    So is at once who comes when there are `most` connections already; 0 is no limit.
    """

    def __init__(self, seconds: float, most: int = 0, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._seconds = seconds
        self._most = most
        self._cut: asyncio.TimerHandle | None = None  # unless the request is whole by then

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self._most and len(self.connections) >= self._most:
            transport.abort()
            self._most = -1  # it was never one of ours
            return
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._most < 0:
            return
        self._unwatch()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._most < 0:
            return
        super().data_received(data)
        self._look()

    @property
    def unfinished(self) -> bool:
        """Is there no request, or one that is not whole?"""
        return self.conn.their_state in UNFINISHED

    def _look(self) -> None:
        """After something came: is a request whole, or does one begin?"""
        if not self.unfinished:
            self._unwatch()
        elif self._cut is None:
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, as everything else is answered, if that is not done; hang up."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = bytes(Problem(HTTPStatus.BAD_REQUEST, msg).answer().body)
            headers = [*REFUSAL, (b"content-length", b"%d" % len(body))]
            for event in (
                h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        self._cut = self.loop.call_later(self._seconds, self.transport.abort)

    def _unwatch(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
