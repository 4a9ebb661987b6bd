"""The event bus, as it is configured."""

from __future__ import annotations

import asyncio

import structlog

from fastrouter import config
from fastrouter.app.address import elsewhere
from fastrouter.bus.address import is_local
from fastrouter.bus.outlet import Outlet
from fastrouter.embed import Router
from fastrouter.errors import ConfigError, FeedError
from fastrouter.feeds import Publisher
from fastrouter.feeds.nng import NngFeed

__all__ = ["Bus"]

logger = structlog.stdlib.get_logger("fastrouter.app")


class Bus:
    """Where the router's events go, and a feed of those of others, beside the main one.

    Either may be absent. Raises ConfigError for an address that cannot be had.
    """

    def __init__(self, router: Router, settings: config.Bus) -> None:
        _warn_of_open_addresses(settings)
        self._router = router
        self.outlet: Outlet | None = None
        self.feed: NngFeed | None = None
        self._feeding: asyncio.Task[None] | None = None
        if settings.dial or settings.listen:
            self.feed = self._opened(settings)
        if settings.publish is not None:
            self.outlet = self._outlet(settings, settings.publish)

    def _outlet(self, settings: config.Bus, address: str) -> Outlet:
        try:
            outlet = Outlet(self._router, address, kinds=settings.kinds, buffer=settings.buffer)
        except ConfigError as error:
            if self.feed is not None:
                self.feed.close()
            raise elsewhere(error, None, "bus.publish") from None
        where, kinds = outlet.publisher.address, ", ".join(settings.kinds)
        logger.info("publishing to the bus", address=where, kinds=kinds)
        return outlet

    def _opened(self, settings: config.Bus) -> NngFeed:
        try:
            feed = NngFeed(dial=settings.dial, listen=settings.listen, topics=settings.topics)
            feed.open()
        except FeedError as error:
            known = ConfigError(str(error), code=error.code)
            raise elsewhere(known, None, "bus.listen") from None
        return feed

    @property
    def address(self) -> str | None:
        """Where subscribers dial in."""
        return None if self.outlet is None else self.outlet.publisher.address

    def router_for(self, feed_name: str) -> Publisher:
        """The router as a feed of that name sees it: what is of the bus stays off the bus."""
        if feed_name == "nng" and self.outlet is not None:
            return self.outlet.inbound()
        return self._router

    def start(self) -> None:
        """Begin to route what others send."""
        if self.feed is not None:
            run = self.feed.run(self.router_for("nng"))
            self._feeding = asyncio.create_task(run, name="bus")
            self._feeding.add_done_callback(_tell)

    async def stop(self) -> None:
        """Take no more from others. Safe to call again."""
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.wait([self._feeding])
        if self.feed is not None:
            self.feed.close()

    async def close(self) -> None:
        """Stop, send what waits, and hang up."""
        await self.stop()
        if self.outlet is not None:
            await self.outlet.close()


def _warn_of_open_addresses(settings: config.Bus) -> None:
    """Say when anybody out there may publish, or listen in: the bus has no auth at all."""
    for address in (settings.publish, *settings.listen):
        if address is not None and not is_local(address):
            logger.warning("open to anybody: a bus has no auth", address=address)


def _tell(feeding: asyncio.Task[None]) -> None:
    """The feed of a bus ends when it is stopped; anything else is our fault, and worth a line."""
    if not feeding.cancelled() and (error := feeding.exception()) is not None:
        logger.error("the bus is no longer read", reason=repr(error), exc_info=error)
