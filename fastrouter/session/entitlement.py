"""What a token lets its bearer subscribe to: patterns that cover patterns.

A grant is written as a subscription is (``C:BTC*:candle``), with one
difference: ``candle`` without a timeframe covers every timeframe.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fastrouter.core.leaves import glob_match
from fastrouter.session.subscriptions import Subscription, parse_item

__all__ = ["Entitlement", "Pattern", "covers"]


class Pattern(NamedTuple):
    """One granted pattern; `timeframe` "" means all of them, and is all that is for no candle."""

    symbol: str
    kind: str
    timeframe: str = ""

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Raises SubscriptionError that names the item and the rule it breaks."""
        symbol, event_type = parse_item(text).pattern
        kind, _, timeframe = event_type.partition("@")
        named = "@" in text.rpartition(":")[2]
        return cls(symbol, kind, timeframe if named else "")


def covers(grant: Pattern, wanted: Subscription) -> bool:
    """Whether the grant matches every topic that the wanted pattern matches.

    A ``*`` of the wanted pattern can be any run of characters, so only a ``*``
    of the grant may take it: the grant has to match the wanted pattern's own
    text, in which ``*`` is a character that no other equals.
    """
    kind, _, timeframe = wanted.event_type.partition("@")
    return (
        grant.kind == kind
        and grant.timeframe in ("", timeframe)
        and glob_match(grant.symbol, wanted.symbol)
    )


class Entitlement:
    """All that one token grants."""

    __slots__ = ("_by_kind",)

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._by_kind: dict[str, list[Pattern]] = {}
        for pattern in dict.fromkeys(patterns):
            self._by_kind.setdefault(pattern.kind, []).append(pattern)

    def covers(self, wanted: Subscription) -> bool:
        """Whether one granted pattern covers all that is wanted."""
        return any(covers(grant, wanted) for grant in self._of(wanted))

    def narrow(self, items: Iterable[Subscription]) -> list[Subscription]:
        """What of these is granted: an item that is covered, or the grants it covers.

        Where an item and a grant merely overlap (``S:A*``, ``*L``) nothing is
        had: no single pattern says what both match.
        """
        found: dict[tuple[str, str], Subscription] = {}
        for item in items:
            for part in [item] if self.covers(item) else self._within(item):
                found.setdefault(part.pattern, part)
        return list(found.values())

    def _of(self, wanted: Subscription) -> list[Pattern]:
        return self._by_kind.get(wanted.event_type.partition("@")[0], [])

    def _within(self, item: Subscription) -> Iterable[Subscription]:
        _, _, timeframe = item.event_type.partition("@")
        for grant in self._of(item):
            if grant.timeframe in ("", timeframe) and glob_match(item.symbol, grant.symbol):
                text = f"{grant.symbol}:{item.event_type}"
                yield Subscription(text, grant.symbol, item.event_type)
