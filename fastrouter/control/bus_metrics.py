"""Prometheus metrics of the event bus, read when somebody scrapes.

===================================  ============================================================
``fastrouter_bus_publishers``        connected to us
``fastrouter_bus_received_total``    their events that were published
``fastrouter_bus_left_out_total``    their messages that cannot be events
``fastrouter_bus_subscribers``       connected to us
``fastrouter_bus_sent_total``        given to NNG; what that drops for slow ones nobody knows
``fastrouter_bus_failures_total``    messages that NNG did not take
===================================  ============================================================

Those of a side that is not configured are absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from fastrouter.control.families import counter, gauge

__all__ = ["BusMetrics"]


class Feed(Protocol):
    """`fastrouter.feeds.nng.NngFeed`."""

    @property
    def published(self) -> int: ...
    @property
    def bad_rows(self) -> int: ...
    @property
    def publishers(self) -> int: ...


class Outlet(Protocol):
    """`fastrouter.bus.outlet.Outlet`."""

    @property
    def subscribers(self) -> int: ...
    @property
    def sent(self) -> int: ...
    @property
    def failures(self) -> int: ...


class BusMetrics(Collector):
    """Of a feed and an outlet; either may be None."""

    def __init__(self, feed: Feed | None, outlet: Outlet | None) -> None:
        self._feed = feed
        self._outlet = outlet

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read anything."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        if (feed := self._feed) is not None:
            yield gauge("bus_publishers", "Publishers connected.", feed.publishers)
            yield counter("bus_received", "Events of others published.", feed.published)
            yield counter("bus_left_out", "Messages that cannot be events.", feed.bad_rows)
        if (outlet := self._outlet) is not None:
            yield gauge("bus_subscribers", "Subscribers connected.", outlet.subscribers)
            yield counter("bus_sent", "Messages given to NNG.", outlet.sent)
            yield counter("bus_failures", "Messages that NNG did not take.", outlet.failures)
