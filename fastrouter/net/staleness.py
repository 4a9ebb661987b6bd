"""Telling sessions that a topic has fallen silent: a stream that is connected but mute."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

__all__ = ["Staleness"]

OFTEN = 1.0  # s between two scans, at most; a quarter of the silence when that is shorter

Silences = Iterable[tuple[str, str, int]]  # symbol, event type, ns without an event


class Watchdog(Protocol):
    """`fastrouter.core.watchdog.Watchdog`."""

    def scan(self, now: int, /) -> tuple[Silences, Silences]:
        """The topics that fell silent since the last scan, and those that moved again."""


class Notifier(Protocol):
    """The side of a router that tells the sessions of a topic."""

    def notice(self, symbol: str, event_type: str, kind: str, /, **fields: object) -> object: ...


class Staleness:
    """Scans in the running loop until `close`.

    Subscribed sessions get ``stale`` once when a quote topic has been silent for
    `silence` seconds, and ``fresh`` when it moves again.
    """

    def __init__(self, router: Notifier, watchdog: Watchdog, silence: float) -> None:
        self._router = router
        self._watchdog = watchdog
        self._interval = min(OFTEN, silence / 4)
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._interval, self._turn)

    def scan(self) -> None:
        """Tell who has to be told now."""
        stale, fresh = self._watchdog.scan(int(self._loop.time() * 1e9))
        for kind, silences in (("stale", stale), ("fresh", fresh)):
            for symbol, event_type, silent in silences:
                self._router.notice(
                    symbol,
                    event_type,
                    kind,
                    symbol=symbol,
                    event_type=event_type,
                    silent_ms=silent // 1_000_000,
                )

    def close(self) -> None:
        """Scan no more."""
        self._timer.cancel()

    def _turn(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._turn)
        self.scan()
