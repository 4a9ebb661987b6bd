"""What a connection counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastrouter.core.event import Candle, Quote

__all__ = ["Statistics"]


@dataclass(slots=True)
class Statistics:
    """Counters of one connection, over all its ``sessions``; they only rise.

    ``received`` counts well-formed messages, pings included; ``gaps`` the
    places where a topic's ``seq`` jumped within a session and ``missed`` how
    many events those jumps skipped (conflated by the server); ``resume_gaps``
    how often the server could not replay all that came between two sessions;
    ``duplicates`` lossless events that had come before and were dropped;
    ``pauses`` how often the consumer was too slow and reading stopped.
    """

    received: int = 0
    malformed: int = 0
    sessions: int = 0
    gaps: int = 0
    missed: int = 0
    resume_gaps: int = 0
    duplicates: int = 0
    pauses: int = 0
    _resumed: bool = field(default=False, repr=False)
    _seen: dict[str | tuple[str, str], int] = field(default_factory=dict, repr=False)

    @property
    def reconnects(self) -> int:
        """How often it came back."""
        return max(0, self.sessions - 1)

    def open(self, resumed: bool) -> None:
        """A session opens, ``resumed`` when it was asked to replay; topics start anew.

        What came between two sessions is not this session's gap: the server
        may have restarted, and counted from 1 or far beyond.
        """
        self.sessions += 1
        self._resumed = resumed
        self._seen.clear()

    def follow(self, event: Quote | Candle) -> None:
        """Compare an event's ``seq`` with its predecessor's on the same topic.

        A snapshot starts a topic anew: what came before it was not asked for.
        Replayed candles start none: forming ones, which are not replayed,
        were counted between them.
        """
        seq = event.seq
        if not seq:
            return
        topic = event.symbol if isinstance(event, Quote) else (event.symbol, event.timeframe)
        before = self._seen.get(topic)
        if before is None:
            if not self._may_be_replayed(event):
                self._seen[topic] = seq
            return
        self._seen[topic] = seq
        if not event.snapshot and seq > before + 1:
            self.gaps += 1
            self.missed += seq - before - 1

    def _may_be_replayed(self, event: Quote | Candle) -> bool:
        return self._resumed and isinstance(event, Candle) and event.closed and not event.snapshot
