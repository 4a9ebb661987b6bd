"""The grammar of subscriptions: ``{symbol}:{event_type}``, comma separated.

The event type is what follows the last colon, since symbols have an asset-class
prefix (``S:AAPL:quote``). ``candle`` means the default timeframe, ``candle@5m``
names one. ``*`` inside the symbol stands for any run of characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fastrouter.core.kinds import EVENT_TYPES, KINDS, MARKET_KINDS
from fastrouter.core.leaves import symbol_valid
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import SubscriptionError

__all__ = ["DEFAULT", "Subscription", "parse", "parse_item", "parse_items"]

#: what a session gets that asks for nothing
DEFAULT = ",".join(
    [*(f"*:{kind}" for kind in MARKET_KINDS)]
    + [f"*:{kind}" for kind in KINDS if kind not in MARKET_KINDS]
)


class Subscription(NamedTuple):
    """One item: its text as given, and what it means."""

    text: str
    symbol: str
    event_type: str

    @property
    def pattern(self) -> tuple[str, str]:
        """What an outbox subscribes to: (symbol pattern, event type)."""
        return self.symbol, self.event_type


def parse(text: str, default_timeframe: str = "1m") -> list[Subscription]:
    """Parse comma-separated items; blanks around an item are ignored, "" is none at all.

    Raises SubscriptionError that names the item and the rule it breaks.
    """
    return parse_items(text.split(",") if text.strip() else [], default_timeframe)


def parse_items(items: Iterable[str], default_timeframe: str = "1m") -> list[Subscription]:
    """Parse items one by one; the same topic named twice counts once."""
    found = (parse_item(item.strip(), default_timeframe) for item in items)
    return list({item.pattern: item for item in found}.values())


def parse_item(text: str, default_timeframe: str = "1m") -> Subscription:
    """Parse one item. Raises SubscriptionError that names it and the rule it breaks."""
    symbol, colon, event_type = text.rpartition(":")
    if not colon:
        raise _malformed(text, "it must be {symbol}:{event_type}")
    if not symbol_valid(symbol.replace("*", "x")):
        raise _malformed(
            text, "the symbol must be 1 to 128 bytes without blanks, control characters and ','"
        )
    kind, at, timeframe = event_type.partition("@")
    if kind not in KINDS:
        raise _malformed(text, f"the event type must be one of {', '.join(KINDS)}")
    if at and kind != "candle":
        raise _malformed(text, "only candle has a timeframe")
    if kind == "candle":
        event_type = f"candle@{timeframe if at else default_timeframe}"
        if event_type not in EVENT_TYPES:
            raise _malformed(text, f"the timeframe must be one of {', '.join(TIMEFRAMES)}")
    return Subscription(text, symbol, event_type)


def _malformed(text: str, rule: str) -> SubscriptionError:
    return SubscriptionError(f"subscription {text[:200]!r}: {rule}")
