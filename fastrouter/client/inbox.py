"""Events between the socket that brings them and the consumer that takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from fastrouter.core.event import Candle, Event, Quote

__all__ = ["AnyEvent", "Inbox"]

AnyEvent = Quote | Candle | Event


class Inbox:
    """A bounded queue whose consumer takes all there is at once.

    The bound holds by asking the producer to stop: at ``limit`` events
    ``on_full`` is called, at the next `take` ``on_room``. There is one future
    per time the consumer has to wait, none per event.
    """

    def __init__(
        self, limit: int, *, on_full: Callable[[], None], on_room: Callable[[], None]
    ) -> None:
        if limit < 1:
            raise ValueError(f"the inbox holds at least 1 event, not {limit!r}")
        self._limit = limit
        self._on_full = on_full
        self._on_room = on_room
        self._events: deque[AnyEvent] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self.full = False
        self.ended = False

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: AnyEvent) -> None:
        """Add an event. What the producer had already read when told to stop still goes in."""
        self._events.append(event)
        if len(self._events) >= self._limit and not self.full:
            self.full = True
            self._on_full()
        self._wake()

    def take(self) -> deque[AnyEvent]:
        """All events that are here, oldest first; maybe none."""
        events, self._events = self._events, deque()
        if self.full:
            self.full = False
            self._on_room()
        return events

    async def wait(self) -> None:
        """Return when there is something to take, or nothing will come any more.

        Raises RuntimeError when another task waits already.
        """
        if self._events or self.ended:
            return
        if self._waiter is not None:
            raise RuntimeError("another task is waiting for this connection's events already")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def end(self, failure: Exception | None) -> None:
        """Nothing will be put any more; what is here can still be taken."""
        self.ended = True
        self._failure = failure
        self._wake()

    def check(self) -> None:
        """Raise what ended the inbox, if it was a failure."""
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
