"""What a feed is, and what it needs of a router."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..core.dtypes import Rows
from ..core.event import Candle, Event, Quote

__all__ = ["Feed", "Publisher", "Volumes"]

Volumes = npt.NDArray[np.float64]
"""One for each quote of an array."""


class Publisher(Protocol):
    """The side of a router that a feed sees."""

    def publish_batch(self, rows: Rows, /, volumes: Volumes | None = None) -> object:
        """Publish an array of QUOTE_DTYPE or CANDLE_DTYPE, in order.

        ``volumes``: what was traded with each quote, for its candles; default 1 each.
        """

    def publish(self, event: Quote | Candle | Event, /) -> object:
        """Publish one event. Raises EventError when it cannot be routed."""

    def batch(self) -> AbstractContextManager[object]:
        """What is published inside leaves together at the end."""

    @property
    def next_close(self) -> int | None:
        """When the first candle that is built of quotes ends (ns since the epoch), if one is."""

    def close_candles(self, now: int, /) -> object:
        """Close those that end at ``now`` or before: for feeds with a time of their own."""

    async def drained(self) -> object:
        """Return when what is pending is below its mark; give the loop a turn in any case."""


class Feed(Protocol):
    """A source of events. Counters start at 0 with each feed and only rise."""

    on_state: Callable[[bool], None] | None
    """Set by whoever runs the feed. A feed of a source that comes and goes calls it with False
    when the source is lost and with True when it is back; others never do."""

    on_gap: Callable[[str], None] | None
    """Set by whoever runs the feed. Called with the reason when events of the source that are
    never dropped may be missing from here on; only by feeds that can tell."""

    @property
    def published(self) -> int:
        """Quotes or bars of the source that the router was given."""

    @property
    def bad_rows(self) -> int:
        """Rows of the source that were left out."""

    async def run(self, router: Publisher) -> None:
        """Publish until the data end; cancelling it is how it is stopped. Raises FeedError."""

    def describe(self) -> str:
        """One line for people: what is published, and how fast."""
