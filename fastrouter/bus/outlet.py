"""Our events on the bus, and how those that came from it stay off it.

The configured bus is one bus, however many addresses it has: an event that came in from it is
not sent to it again, so that two routers that subscribe to each other do not play ping-pong.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from fastrouter.bus.publisher import Publisher
from fastrouter.core.kinds import EVENT_TYPES
from fastrouter.core.sink import MessageSink
from fastrouter.dialects import load
from fastrouter.errors import EventError

if TYPE_CHECKING:
    from fastrouter.core.dialect import Dialect
    from fastrouter.core.event import Candle, Event, Quote
    from fastrouter.core.outbox import Outbox
    from fastrouter.core.sink import Sink

__all__ = ["DIALECT", "KINDS", "Inbound", "Outlet"]

DIALECT = "dgbit"

#: what is sent unless something else is asked for
KINDS = ("job", "trade", "position", "signal", "order")


class Router(Protocol):
    """`fastrouter.embed.Router`, as far as the bus knows it."""

    def attach(self, sink: Sink, dialect: Dialect, /) -> Outbox: ...
    def publish_apart(self, event: Quote | Candle | Event, apart: Outbox, /) -> object: ...
    @property
    def next_close(self) -> int | None: ...
    def close_candles(self, now: int, /) -> object: ...
    def batch(self) -> AbstractContextManager[object]: ...
    async def drained(self) -> object: ...


class Outlet:
    """Sends a router's events of some kinds to the subscribers at an address.

    To the router it is one more outbox, of the dialect ``dgbit``, whose sink is never full: NNG
    drops what a subscriber is too slow for. Raises ConfigError for an address that cannot be had.
    """

    def __init__(
        self, router: Router, address: str, *, kinds: Iterable[str] = KINDS, buffer: int = 1024
    ) -> None:
        self.publisher = Publisher(address, buffer=buffer)
        self._sink = MessageSink(self.publisher.send)
        self._outbox = router.attach(self._sink, load(DIALECT))
        wanted = frozenset(kinds)
        self._outbox.subscribe(
            ("*", event_type) for event_type in EVENT_TYPES if event_type.split("@")[0] in wanted
        )
        self._router = router

    @property
    def subscribers(self) -> int:
        """How many are connected."""
        return self.publisher.subscribers

    @property
    def sent(self) -> int:
        """Messages given to NNG."""
        return self.publisher.sent

    @property
    def failures(self) -> int:
        """Messages that could not be given to NNG."""
        return self._sink.failures

    def inbound(self) -> Inbound:
        """The router for feeds of the same bus."""
        return Inbound(self._router, self._outbox)

    async def close(self) -> None:
        """Send what waits and hang up."""
        self._outbox.flush()
        self._outbox.close()
        await self.publisher.close()


class Inbound:
    """A router as a feed of the bus sees it: what it publishes is not sent to the bus."""

    def __init__(self, router: Router, outbox: Outbox) -> None:
        self._router = router
        self._outbox = outbox

    def publish(self, event: Quote | Candle | Event, /) -> None:
        """Publish one event. Raises EventError when it cannot be routed."""
        self._router.publish_apart(event, self._outbox)

    def publish_batch(self, rows: Any, /, volumes: Any = None) -> None:
        """Not for feeds of a bus: they publish one by one."""
        raise EventError("a bus is read event by event; allowed: publish")

    @property
    def next_close(self) -> int | None:
        """See `fastrouter.feeds.Publisher`."""
        return self._router.next_close

    def close_candles(self, now: int, /) -> None:
        """See `fastrouter.feeds.Publisher`."""
        self._router.close_candles(now)

    def batch(self) -> AbstractContextManager[object]:
        """What is published inside leaves together at the end."""
        return self._router.batch()

    async def drained(self) -> None:
        """Return when what is pending is below its mark; give the loop a turn in any case."""
        await self._router.drained()
