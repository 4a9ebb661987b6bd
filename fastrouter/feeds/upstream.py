"""The upstream feed: relays another server's stream, one connection for all our sessions.

::

    session lost ──▶ on_state(False)      the client comes back by itself, and resumes
    session open ──▶ on_state(True)       lossless events replayed, then snapshots, then live
    RECONNECTING ──▶ on_state(False)      the upstream's own source is lost …
    CONNECTED    ──▶ on_state(True)       … and back
    RESUME_GAP   ──▶ on_gap(reason)       lossless events were missed

What is published has the upstream's times; ids and sequence numbers are our router's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..client.address import asked_for, check, shown
from ..client.connection import connect
from ..client.options import Token
from ..client.position import RESUME_GAP
from ..client.surroundings import Surroundings
from ..client.tls import trusting
from ..core.event import Candle, Event, Quote
from ..core.kinds import EVENT_TYPES, KINDS
from ..errors import ConnectionFailed, EventError, FeedError
from .feed import Publisher

__all__ = ["EVERYTHING", "UpstreamFeed"]

logger = logging.getLogger(__name__)

EVERYTHING = ",".join(f"*:{event_type}" for event_type in EVENT_TYPES)

CAPACITY = 8192
"""Events that wait for us before the upstream is no longer read, and conflates."""

LOGGED = 10
"""Events that cannot be published and are logged one by one."""

REFUSALS = frozenset({"INVALID_SUBSCRIPTION", "FORBIDDEN"})
"""Errors that say that we never get what we asked for."""

STATES = {"RECONNECTING": False, "CONNECTED": True}
"""What a ``connection`` event of the upstream says of its own source."""


class Bookmark(Protocol):
    """How far the upstream's stream has been published: `fastrouter.journal.bookmark`."""

    @property
    def position(self) -> int | None:
        """The upstream's id to resume after; None when it is not known."""

    @position.setter
    def position(self, position: int, /) -> None: ...


class InMemory:
    """A bookmark for as long as the feed lives."""

    position: int | None = None


class UpstreamFeed:
    """Everything that a ``trading-api`` server at ``url`` sends.

    :param subscriptions: what to ask for, comma separated; by default all there is.
    :param token: a bearer token, or a function that returns one, as of `fastrouter.connect`.
    :param conflate: at most one quote per symbol and interval, as ``"250ms"``.
    :param cafile: a PEM file of the only authorities to trust, for ``wss://``.
    :param idle: s of silence after which it is given up; half of that, and it is asked for a
        sign of life.
    :param backoff: the shortest and longest wait (s) before it is tried again.
    :param bookmark: keeps how far it came, for the next feed; moved after each batch that was
        published, so that a process that is killed between the two publishes that batch again.

    It ends when the upstream closes with 1000. A snapshot is published when it says something
    new. `run` may be called again and resumes where the last one ended.

    Raises FeedError for a URL or file that cannot be used; `run` does when the upstream refuses
    us for good, or what we ask for.
    """

    def __init__(
        self,
        url: str,
        *,
        subscriptions: str | None = None,
        token: Token | None = None,
        conflate: str | None = None,
        cafile: Path | None = None,
        bookmark: Bookmark | None = None,
        idle: float = 20.0,
        backoff: tuple[float, float] = (1.0, 10.0),
        surroundings: Surroundings | None = None,
    ) -> None:
        self.on_state: Callable[[bool], None] | None = None
        self.on_gap: Callable[[str], None] | None = None
        self.published = 0
        self.bad_rows = 0
        self._url = url
        self._name = shown(url)
        self._bookmark: Bookmark = InMemory() if bookmark is None else bookmark
        self._up = True  # nobody was told otherwise
        self._last: dict[str | tuple[str, str], Quote | Candle] = {}
        try:
            if subscriptions is None:
                subscriptions = ",".join(asked_for(check(url)) or ()) or EVERYTHING
            self._options: dict[str, Any] = {
                "subscriptions": subscriptions,
                "token": token,
                "conflate": conflate,
                "ssl_context": trusting(cafile),
                "capacity": CAPACITY,
                "idle_timeout": idle / 2,  # to ask, and again for the answer
                "backoff": backoff,
                "surroundings": surroundings,
            }
            connect(url, **self._options)
        except ConnectionFailed as error:
            raise FeedError(str(error), code=error.code) from None

    def describe(self) -> str:
        asked = self._options["subscriptions"]
        return f"upstream {self._name}: {'everything' if asked == EVERYTHING else asked}"

    async def run(self, router: Publisher) -> None:
        """Relay until the upstream is done."""
        connection = connect(
            self._url,
            **self._options,
            since=self._bookmark.position,
            on_state=self._on_state,
        )
        try:
            while events := await connection.take():
                with router.batch():
                    self._relay(router, events)
                if (last := connection.last_id) is not None:
                    self._bookmark.position = last
                await router.drained()
        except ConnectionFailed as error:
            raise FeedError(str(error), code=error.code) from error
        finally:
            await connection.aclose()

    def _relay(self, router: Publisher, events: list[Quote | Candle | Event]) -> None:
        for event in events:
            if not _TAKE[type(event)](self, event):
                continue
            try:
                router.publish(event)
            except EventError as error:
                self.bad_rows += 1
                if self.bad_rows <= LOGGED:
                    logger.warning("left out what %s sent: %s", self._name, error)
            else:
                self.published += 1

    # ---- whether to publish what came

    def _take_quote(self, quote: Quote) -> bool:
        return self._take_value(quote.symbol, quote, _quote_value)

    def _take_candle(self, candle: Candle) -> bool:
        return self._take_value((candle.symbol, candle.timeframe), candle, _candle_value)

    def _take_value(
        self, topic: str | tuple[str, str], event: Any, value: Callable[[Any], object]
    ) -> bool:
        if event.snapshot:
            before = self._last.get(topic)
            if before is not None and value(before) == value(event):
                return False
        self._last[topic] = event
        return True

    def _take_event(self, event: Event) -> bool:
        if event.kind in KINDS:
            return True
        if isinstance(event.payload, dict):
            heed = _HEED.get(event.kind)
            if heed is not None:
                heed(self, event.payload)
        return False

    # ---- what the upstream says of itself

    def _heed_error(self, said: dict[str, Any]) -> None:
        code, text = said.get("code"), said.get("message")
        if code in REFUSALS:
            raise FeedError(
                f"{self._name} refuses what feed.upstream.subscriptions asks for: {text}", code=code
            )
        logger.warning("%s says %s: %s", self._name, code, text)
        if code == RESUME_GAP and self.on_gap is not None:
            self.on_gap(f"the upstream has a gap: {text}")

    def _heed_connection(self, said: dict[str, Any]) -> None:
        up = STATES.get(said.get("event", ""))
        if up is not None:
            self._on_state(up)

    def _on_state(self, up: bool) -> None:
        if up != self._up:
            self._up = up
            logger.info("the upstream is %s", "back" if up else "lost")
            if self.on_state is not None:
                self.on_state(up)


_TAKE: dict[type, Callable[[UpstreamFeed, Any], bool]] = {
    Quote: UpstreamFeed._take_quote,
    Candle: UpstreamFeed._take_candle,
    Event: UpstreamFeed._take_event,
}

_HEED: dict[str, Callable[[UpstreamFeed, dict[str, Any]], None]] = {
    "error": UpstreamFeed._heed_error,
    "connection": UpstreamFeed._heed_connection,
}


def _quote_value(quote: Quote) -> object:
    return (quote.bid, quote.ask, quote.last, quote.bid_size, quote.ask_size, quote.time)


def _candle_value(candle: Candle) -> object:
    return (
        *(candle.open, candle.high, candle.low, candle.close, candle.volume),
        *(candle.time, candle.closed),
    )
