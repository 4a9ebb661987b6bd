"""The kinds of events, their lanes, and the event types a subscription can name.

A *kind* is what an event is (``quote``, ``order``); an *event type* is what a
topic ends with: the kind, or for candles the kind and its timeframe
(``candle@5m``).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from fastrouter.core.timeframe import TIMEFRAMES

__all__ = [
    "ACCOUNT_KINDS",
    "ACTIONS",
    "ALPACA_STATUSES",
    "DEFAULT_ACCOUNT",
    "DIRECTIONS",
    "EVENT_TYPES",
    "KINDS",
    "MARKET_KINDS",
    "OWNED_KINDS",
    "Lane",
    "account_of",
    "topic_symbol",
]


class Lane(IntEnum):
    """What may happen to an event when its session is slow."""

    CONFLATABLE = 0
    LOSSLESS = 1


#: kind -> lane. A closed candle is lossless all the same.
KINDS = {
    "quote": Lane.CONFLATABLE,
    "candle": Lane.CONFLATABLE,
    "order": Lane.LOSSLESS,
    "trade": Lane.LOSSLESS,
    "position": Lane.LOSSLESS,
    "account": Lane.LOSSLESS,
    "signal": Lane.LOSSLESS,
    "strategy": Lane.LOSSLESS,
    "job": Lane.LOSSLESS,
    "risk": Lane.LOSSLESS,
}

MARKET_KINDS = ("quote", "candle")

#: Events of these kinds belong to an account; a session gets those of the accounts it may see.
ACCOUNT_KINDS = ("order", "trade", "position", "account")

#: Events of these do when they name one; those that name none are for everybody.
OWNED_KINDS = ("risk",)

#: The account of an event of theirs that names none.
DEFAULT_ACCOUNT = "default"

#: A signal says the same in two words: direction -> action
ACTIONS = {"long": "BUY", "short": "SELL", "neutral": "HOLD"}
#: and the other way round
DIRECTIONS = {action: direction for direction, action in ACTIONS.items()}

#: An order's status -> Alpaca's, where it has another: what is accepted here is at work there,
#: at REST and in its stream.
ALPACA_STATUSES = {"accepted": "new"}

#: kind -> the field of its payload that is its topic's symbol; of others it is `symbol`
SYMBOL_FIELDS = {"job": "id"}

#: Every event type, in the order of the core's table: row number = index.
EVENT_TYPES = (
    "quote",
    *(kind for kind in KINDS if kind not in MARKET_KINDS),
    *(f"candle@{name}" for name in TIMEFRAMES),
)


def topic_symbol(kind: str, payload: Any) -> str:
    """The symbol of an event's topic by its payload: "" when it names none."""
    if not isinstance(payload, dict):
        return ""
    symbol = payload.get(SYMBOL_FIELDS.get(kind, "symbol"), "")
    return symbol if isinstance(symbol, str) else str(symbol)


def account_of(kind: str, payload: Any, account: str | None = None) -> str:
    """Whose an event is: `account`, else its payload's; "" for one that belongs to no account."""
    if kind not in ACCOUNT_KINDS and kind not in OWNED_KINDS:
        return ""
    if not account and isinstance(payload, dict):
        named = payload.get("id" if kind == "account" else "account_id")
        account = None if named is None else str(named)
    return account or ("" if kind in OWNED_KINDS else DEFAULT_ACCOUNT)
