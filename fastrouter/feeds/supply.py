"""What keeps events coming: a feed, and another one like it when that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ..errors import FeedError
from .feed import Feed, Publisher

__all__ = ["LONGEST", "Supply"]

LONGEST = 60.0  # s between two attempts
LOOK = 0.05  # s between two looks at whether a feed that was opened again gives anything

Report = Callable[[Feed, str, float], object]


class Supply:
    """Runs a feed to its end, and opens it again when it fails.

    `on_state`, when set, is called with False when the source is lost, with True when it is
    back: because the feed says so, or because it failed and the next one has published.
    `on_gap`, when set, is called with the reason when a feed has missed events.

    :param open_feed: builds the feed; what it raises the first time is the caller's.
    :param retry_seconds: from a failure to the next attempt, twice as long each time that
        fails too, 60 at most; 0: a failure is the end.
    :param report: called with each feed, how its run ended and how long that was (s).
    """

    def __init__(
        self,
        open_feed: Callable[[], Feed],
        *,
        retry_seconds: float = 0.0,
        report: Report = lambda feed, outcome, seconds: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._open_feed = open_feed
        self.on_state: Callable[[bool], object] | None = None
        self.on_gap: Callable[[str], object] | None = None
        self._retry = self._delay = retry_seconds
        self._report = report
        self._sleep = sleep
        self._connected = True
        self.feed = self._open()

    async def run(self, router: Publisher) -> None:
        """Publish until the data end. Raises FeedError when the feed fails and is not retried."""
        while True:
            try:
                return await self._run_once(router)
            except FeedError:
                if not self._retry:
                    raise
            self._tell(False)
            await self._reopen()

    async def _run_once(self, router: Publisher) -> None:
        feed, started, outcome = self.feed, time.monotonic(), "feed failed"
        watching = None if self._connected else asyncio.create_task(self._watch(feed))
        try:
            await feed.run(router)
            outcome = "feed ended"
            self._tell(True)
        except asyncio.CancelledError:
            outcome = "feed stopped"
            raise
        finally:
            if watching is not None:
                watching.cancel()
            self._report(feed, outcome, time.monotonic() - started)

    async def _reopen(self) -> None:
        while True:
            await self._sleep(self._delay)
            self._delay = min(2 * self._delay, LONGEST)
            try:
                self.feed = self._open()
            except FeedError:
                continue
            return

    def _open(self) -> Feed:
        feed = self._open_feed()
        feed.on_state = self._tell
        feed.on_gap = self._miss
        return feed

    async def _watch(self, feed: Feed) -> None:
        """A source that can be opened may still give nothing: it is back when it does."""
        while not feed.published:
            await self._sleep(LOOK)
        self._tell(True)

    def _miss(self, reason: str) -> None:
        if self.on_gap is not None:
            self.on_gap(reason)

    def _tell(self, connected: bool) -> None:
        if connected:
            self._delay = self._retry
        if connected != self._connected:
            self._connected = connected
            if self.on_state is not None:
                self.on_state(connected)
