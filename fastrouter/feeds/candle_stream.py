"""The candles that go with a feed of quotes."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.dtypes import Rows
from ..errors import FeedError
from .candles import CandleBuilder
from .feed import Publisher

__all__ = ["CandleStream"]

SECOND = 1_000_000_000
NEVER: int = 2**63 - 1


class CandleStream:
    """Builds candles of the quotes it is shown and publishes them.

    Closed ones at once; forming ones that changed once a second of the feed's clock, at the
    half second, where a 1s candle has something to tell.
    """

    def __init__(self, timeframes: Iterable[str]) -> None:
        try:
            self._builder = CandleBuilder(timeframes)
        except ValueError as error:
            raise FeedError(str(error)) from None
        self._next_forming = 0
        self.published = 0

    @property
    def timeframes(self) -> tuple[str, ...]:
        return self._builder.timeframes

    @property
    def next_due(self) -> int:
        """The time (ns, the feed's clock) at which `advance` has something to do."""
        if self._builder.next_close == NEVER:
            return NEVER
        return min(self._builder.next_close, self._next_forming)

    def advance(self, router: Publisher, now: int) -> None:
        """Close what ended by ``now`` (ns), silent symbols too; show what is forming."""
        if not self.timeframes:
            return
        self._publish(router, self._builder.close_until(now))
        if now >= self._next_forming:
            self._publish(router, self._builder.forming(changed=True))
            self._next_forming = (now + SECOND // 2) // SECOND * SECOND + SECOND // 2

    def follow(self, router: Publisher, quotes: Rows) -> None:
        """Take quotes that were published."""
        if self.timeframes:
            self._publish(router, self._builder.update(quotes))

    def _publish(self, router: Publisher, rows: Rows) -> None:
        if len(rows):
            router.publish_batch(rows)
            self.published += len(rows)
