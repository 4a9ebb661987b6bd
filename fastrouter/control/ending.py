"""uvicorn's HTTP, up to its end: uvicorn itself forgets requests that came before what ends it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fastrouter.control.problem import Problem

__all__ = ["Ending", "LastRequestError"]

LINGER_SECONDS = 1.0  # for the peer to read a refusal, and hang up; meanwhile what it sends is read

REFUSAL = (
    b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n"
)


class LastRequestError(Exception):
    """Stops the parser: the request before said that it is the last."""


class Ending(HttpToolsProtocol):
    """One connection. Requests that are whole are answered, in order, before it ends.

    `data_received` is not to parse any more when it is `over`.
    """

    def __init__(self, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.over = False  # nothing more is taken
        self._last: bytes | None = None  # what ends it, behind all answers
        self._running: RequestResponseCycle | None = None  # the request before the pipeline

    def refuse(self, problem: Problem) -> None:
        """Answer so what cannot be read, when its turn has come; then hang up."""
        body = bytes(problem.answer().body)
        phrase = problem.status.phrase.encode()
        self._end(REFUSAL % (problem.status, phrase, len(body)) + body)

    def send_400_response(self, msg: str) -> None:
        """As everything else is answered."""
        self.refuse(Problem(HTTPStatus.BAD_REQUEST, msg))

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn has it hang up
        """The peer sends no more, but may read: keep the connection while it is answered."""
        if self.scheme != "http":  # event loops cannot keep half of TLS open
            return False
        self._end(b"")
        return self._busy

    def connection_lost(self, exc: Exception | None) -> None:
        self._desert()  # uvicorn tells the last of the pipeline alone
        super().connection_lost(exc)
        for cycle, _ in self.pipeline:
            _forget(cycle)

    def on_message_begin(self) -> None:
        if self.over:
            raise LastRequestError
        super().on_message_begin()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.over = self.over or not self.cycle.keep_alive

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._last is not None and not self._busy:
            self._hang_up()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _busy(self) -> bool:
        """Is somebody to be answered?"""
        one = self._running
        return one is not None and not (one.response_complete or one.disconnected)

    def _end(self, last: bytes) -> None:
        """Take nothing more: what was whole is answered, then comes `last`."""
        if self.over:
            return
        self.over, self._last = True, last
        half = self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete
        if half and self.pipeline:
            _forget(self.pipeline.popleft()[0])
            half = False
        if half or not self._busy:
            self._hang_up()

    def _hang_up(self) -> None:
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        begun = self._busy and self._running is not None and self._running.response_started
        self._desert()
        if not self._last or begun:  # nobody could tell where an answer ends that is not whole
            self.transport.close()
            return
        self.transport.write(self._last)
        self._linger()

    def _linger(self) -> None:
        """Let the peer read that: a socket closed on what it still sends would reset it."""
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        self.transport.write_eof()
        self.timeout_keep_alive_task = self.loop.call_later(
            LINGER_SECONDS, self.timeout_keep_alive_handler
        )

    def _desert(self) -> None:
        """Whoever is still answered has nobody to write to."""
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()


def _forget(cycle: RequestResponseCycle) -> None:
    """It will never run, and knows us: we would wait for the collector, with all that was sent."""
    cycle.on_response = _nothing


def _nothing() -> None:
    pass
