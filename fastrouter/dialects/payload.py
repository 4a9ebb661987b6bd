"""Between what is routed and what dialects send: decimal text and numbers, times and words.

What is routed has the names and forms of `fastrouter.models`: decimals and times
are text. A router that does not validate routes anything, so what has another
form here is passed on as it is, and what is missing is left to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastrouter.core.event import Event
from fastrouter.core.leaves import format_double, iso8601, ns_to_ms, parse_iso8601
from fastrouter.errors import MessageError

__all__ = [
    "DECIMALS",
    "TIMES",
    "UNREADABLE",
    "Body",
    "Made",
    "Maker",
    "Reader",
    "canonical",
    "event_number",
    "given",
    "iso",
    "ms",
    "number",
    "numbers",
    "plain",
    "short",
    "text",
    "texts",
    "unreadable",
    "word",
]

Body = dict[str, Any]
Made = tuple[str, Any]
"""What a message has for a type, and its body; or a kind and its payload."""

#: what is raised by reading a message that is none
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError)

#: fields that are decimal text, of any kind
DECIMALS = frozenset(
    (
        *("qty", "filled_qty", "filled_avg_price", "limit_price", "stop_price"),
        *("quantity", "price", "executed_quantity", "executed_price", "commission"),
        *("entry_price", "current_price", "leverage", "unrealized_pnl", "unrealized_pnl_percent"),
        *("liquidation_price", "margin", "stop_loss", "take_profit", "exit_price", "pnl"),
        *("pnl_pct", "cash", "equity", "buying_power", "total_balance", "total_pnl"),
        *("total_pnl_percent", "realized_pnl", "fees", "limit", "value"),
    )
)

#: fields that are ISO-8601 text, of any kind
TIMES = frozenset(
    (
        *("created_at", "updated_at", "entry_time", "exit_time", "timestamp"),
        *("last_signal_time", "next_signal_time"),
    )
)

Maker = Callable[[Body, Event], Made | None]
"""Makes a message of a payload; None where the dialect has none."""

Reader = Callable[[Any], Made]
"""Makes kind and payload of a message's body."""

LARGEST_INT = 2.0**53  # from there on doubles are further apart than integers


def number(value: Any, missing: Any = None) -> Any:
    """The number that decimal text says, an int when it is whole; `missing` for None."""
    if value is None:
        return missing
    try:
        found = float(value)
    except (TypeError, ValueError):
        return value
    return int(found) if found.is_integer() and abs(found) < LARGEST_INT else found


def text(value: Any) -> Any:
    """The decimal text of a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(value) if isinstance(value, int) else format_double(value)


def short(value: Any) -> Any:
    """A time as the shortest ISO-8601 text: without a fraction that is 0."""
    if isinstance(value, str) and value.endswith(".000000Z"):
        return value[:-8] + "Z"
    return value


def ms(value: Any) -> Any:
    """A time as Unix ms."""
    return ns_to_ms(parse_iso8601(value)) if isinstance(value, str) else value


def iso(value: Any) -> Any:
    """A time as it is routed, from ISO-8601 text or Unix ms."""
    if isinstance(value, str):
        return iso8601(parse_iso8601(value))
    return iso8601(value * 1_000_000) if isinstance(value, int) else value


def numbers(payload: Body) -> Body:
    """The payload with numbers for decimal text."""
    return {key: number(item) if key in DECIMALS else item for key, item in payload.items()}


def texts(payload: Body) -> Body:
    """The payload with decimal text for numbers."""
    return {key: text(item) if key in DECIMALS else item for key, item in payload.items()}


def plain(payload: Body) -> Body:
    """The payload with numbers for decimal text, and times in the shortest form."""
    return {
        key: number(item) if key in DECIMALS else short(item) if key in TIMES else item
        for key, item in payload.items()
    }


def canonical(body: Body) -> Body:
    """A body with the routed names, its decimals and times as they are routed.

    Raises ValueError for a time that is none.
    """
    return {
        key: text(item) if key in DECIMALS else iso(item) if key in TIMES else item
        for key, item in body.items()
    }


def given(**fields: Any) -> Body:
    """The fields that are not None."""
    return {key: value for key, value in fields.items() if value is not None}


def word(value: Any, words: dict[str, str]) -> Any:
    """The other word for it; what has none stays as it is."""
    return words.get(value, value) if isinstance(value, str) else value


def event_number(name: Any) -> int:
    """``evt_<n>`` -> n; 0 for anything else."""
    return int(name[4:]) if isinstance(name, str) and name.startswith("evt_") else 0


def unreadable(dialect: str, error: Exception) -> MessageError:
    """What to raise in place of one of UNREADABLE."""
    return MessageError(f"not a {dialect} message: {type(error).__name__}: {error}")
