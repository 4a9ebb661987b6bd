"""What the live desk has done since its start, as plain numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["Tally"]

BUCKETS = 26  # the last is for half a minute and more
PREFIX = "ORDER_"


class Tally:
    """Counted by who announces and who asks; read when somebody scrapes."""

    def __init__(self) -> None:
        #: announced, by what became of the order: ``accepted``, ``filled`` …
        self.orders: Counter[str] = Counter()
        #: limits that were breached, by rule
        self.breaches: Counter[str] = Counter()
        #: changes that were asked for: ``waits[i]`` took less than 2**i µs, and not less than half
        self.waits = [0] * BUCKETS
        #: of all of them, µs
        self.waited = 0

    def announced(self, kind: str, payload: Mapping[str, Any]) -> None:
        """An event of the account."""
        event = str(payload.get("event", ""))
        if kind == "order":
            self.orders[event.removeprefix(PREFIX).lower()] += 1
        elif kind == "risk" and event == "limit_breached":
            self.breaches[str(payload.get("rule", ""))] += 1

    def answered(self, ns: int) -> None:
        """A change was kept and announced, or refused, after so long."""
        micros = max(0, ns // 1000)
        self.waits[min(micros.bit_length(), BUCKETS - 1)] += 1
        self.waited += micros
