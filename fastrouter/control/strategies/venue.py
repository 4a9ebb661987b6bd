"""The router of a desk: what it tells of the account says what runs on it, too, and is counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from fastrouter.control.tally import Tally
from fastrouter.control.venue import Venue
from fastrouter.core.clock import Clock
from fastrouter.core.watch import Watch

__all__ = ["BotVenue"]


class BotVenue:
    """The same `fastrouter.control.venue.Venue`; `bot` is set once there are strategies."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.tally = Tally()
        self.bot: Callable[[], dict[str, Any]] = dict

    @property
    def market(self) -> Watch:
        return self._venue.market

    @property
    def clock(self) -> Clock:
        return self._venue.clock

    @property
    def last_id(self) -> int:
        return self._venue.last_id

    def publish(self, kind: str, payload: dict[str, Any], /) -> int:
        return self._venue.publish(kind, payload)

    def publish_event(
        self, kind: str, payload: dict[str, Any], symbol: str, time: int, /
    ) -> object:
        """An account's has what CORE's frontend shows of a bot."""
        self.tally.announced(kind, payload)
        if kind == "account":
            payload = {**payload, **self.bot()}
        return self._venue.publish_event(kind, payload, symbol, time)

    def batch(self) -> AbstractContextManager[object]:
        return self._venue.batch()
