"""What a connection counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastrouter.core.event import Candle, Quote

__all__ = ["Statistics"]


@dataclass(slots=True)
class Statistics:
    """Counters of one connection, over all its ``sessions``; they only rise.

    ``received`` counts well-formed messages, pings included; ``gaps`` the
    places where a topic's ``seq`` jumped and ``missed`` how many events those
    jumps skipped (conflated by the server, or lost between two sessions);
    ``pauses`` how often the consumer was too slow and reading stopped.
    """

    received: int = 0
    malformed: int = 0
    sessions: int = 0
    gaps: int = 0
    missed: int = 0
    pauses: int = 0
    _seen: dict[str | tuple[str, str], int] = field(default_factory=dict, repr=False)

    @property
    def reconnects(self) -> int:
        """How often it came back."""
        return max(0, self.sessions - 1)

    def follow(self, event: Quote | Candle) -> None:
        """Compare an event's ``seq`` with its predecessor's on the same topic.

        A snapshot starts a topic anew: what came before it was not asked for.
        """
        seq = event.seq
        if not seq:
            return
        topic = event.symbol if isinstance(event, Quote) else (event.symbol, event.timeframe)
        before = self._seen.get(topic)
        self._seen[topic] = seq
        if before is not None and not event.snapshot and seq > before + 1:
            self.gaps += 1
            self.missed += seq - before - 1
