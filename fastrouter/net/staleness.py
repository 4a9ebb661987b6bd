"""Telling sessions that a topic has fallen silent: a stream that is connected but mute."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

__all__ = ["Staleness"]

OFTEN = 1.0  # s between two scans, at most; a quarter of the silence when that is shorter

PORTION = 1000  # stale topics that a session is told of at once
AT_ONCE = 50_000  # topics put before newcomers in one turn of the loop

Silences = Iterable[tuple[str, str, int]]  # symbol, event type, ns without an event


class Watchdog(Protocol):
    """`fastrouter.core.watchdog.Watchdog`."""

    @property
    def stale(self) -> int:
        """How many topics were stale at the last scan."""

    def scan(self, now: int, /) -> tuple[Silences, Silences]:
        """The topics that fell silent since the last scan, and those that moved again."""

    def silent(self, now: int, /) -> Silences:
        """All that were stale at the last scan."""


class Notifier(Protocol):
    """The side of a router that tells the sessions of a topic."""

    def notice(self, symbol: str, event_type: str, kind: str, /, **fields: object) -> object: ...


class Newcomer(Protocol):
    """A session that has begun: `fastrouter.session.session.Session`."""

    def matches(self, symbol: str, event_type: str) -> bool:
        """Whether it is subscribed to this topic."""

    def send(self, kind: str, /, **fields: object) -> None:
        """Queue a message of its own."""


class Staleness:
    """Scans in the running loop until `close`.

    Subscribed sessions get ``stale`` once when a quote topic has been silent for
    `silence` seconds, and ``fresh`` when it moves again. Who was greeted gets
    ``stale`` at the next scans, when its snapshots are sent, for those that were
    stale before it came: `PORTION` a scan, so that it fits an outbox.
    """

    def __init__(self, router: Notifier, watchdog: Watchdog, silence: float) -> None:
        self._router = router
        self._watchdog = watchdog
        self._interval = min(OFTEN, silence / 4)
        self._newcomers: dict[Newcomer, set[str]] = {}  # and what they were told of
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._interval, self._turn)

    def scan(self) -> None:
        """Tell who has to be told now."""
        now = int(self._loop.time() * 1e9)
        if self._newcomers:
            self._tell_newcomers(list(self._watchdog.silent(now)))
        stale, fresh = self._watchdog.scan(now)
        for kind, silences in (("stale", stale), ("fresh", fresh)):
            for symbol, event_type, silent in silences:
                self._router.notice(symbol, event_type, kind, **_said(symbol, event_type, silent))

    @property
    def stale(self) -> int:
        """How many topics are stale."""
        return self._watchdog.stale

    def greet(self, newcomer: Newcomer) -> None:
        """A session has begun: tell it soon what is stale already."""
        if self._watchdog.stale and not self._timer.cancelled():
            self._newcomers[newcomer] = set()

    def close(self) -> None:
        """Scan no more."""
        self._timer.cancel()
        self._newcomers.clear()

    def _tell_newcomers(self, silences: list[tuple[str, str, int]]) -> None:
        left = AT_ONCE
        for newcomer, told in list(self._newcomers.items()):
            if left <= 0:
                return
            new = [one for one in silences if one[0] not in told and newcomer.matches(*one[:2])]
            for silence in new[:PORTION]:
                newcomer.send("stale", **_said(*silence))
                told.add(silence[0])
            left -= len(silences)
            if len(new) <= PORTION:
                del self._newcomers[newcomer]

    def _turn(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._turn)
        self.scan()


def _said(symbol: str, event_type: str, silent: int) -> dict[str, object]:
    return {"symbol": symbol, "event_type": event_type, "silent_ms": silent // 1_000_000}
