"""Which column of a file is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import FeedError

__all__ = ["KINDS", "Column", "Kind", "Mapped", "map_columns"]

Column = str | int | None
"""A column by its name or its position from 0; None for "not in this file"."""

MOST_NAMES, LONGEST_NAME = 20, 60  # of a file's columns, in an error


@dataclass(frozen=True, slots=True)
class Kind:
    """What a row is; ``required`` is also the order of columns that have no header."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "quotes": Kind(("time", "bid", "ask"), ("symbol", "last", "bid_size", "ask_size", "volume")),
    "bars": Kind(("time", "open", "high", "low", "close"), ("symbol", "volume", "timeframe")),
}

ALIASES: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "datetime", "date_time", "open_time", "ts", "ts_event", "date"),
    "symbol": ("symbol", "ticker", "instrument", "instrument_id"),
    "timeframe": ("timeframe", "interval"),
    "bid": ("bid", "bid_price", "bidprice", "best_bid"),
    "ask": ("ask", "ask_price", "askprice", "best_ask", "offer"),
    "last": ("last", "last_price", "lastprice"),
    "bid_size": ("bid_size", "bidsize", "bid_volume", "bidvolume", "bid_qty"),
    "ask_size": ("ask_size", "asksize", "ask_volume", "askvolume", "ask_qty"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}
"""Field -> names it goes by, in lower case, the preferred first."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The kind of a file's rows, and the position of each field."""

    kind: str
    positions: dict[str, int]


def map_columns(
    names: Sequence[str] | None,
    width: int,
    *,
    kind: str | None = None,
    columns: Mapping[str, Column] | None = None,
) -> Mapped:
    """Find every field: as told by ``columns``, else by name, else by position.

    Without a header and without ``columns``: time, bid, ask in 3 or 4 columns; time, open,
    high, low, close, volume in 6 or more; with ``kind`` told, these in any number. Raises
    FeedError.
    """
    if kind is not None and kind not in KINDS:
        raise FeedError(f"kind {kind!r} is not known; allowed: {', '.join(KINDS)}")
    found = told(columns or {}, names, width)
    if names is not None:
        by_name(found, columns or {}, names)
    elif not columns:
        kind = kind or guessed(width)
        order = (*KINDS[kind].required, *(("volume",) if kind == "bars" else ()))
        found = {name: i for i, name in enumerate(order[:width])}
    kind = kind or detected(found, names, width)
    missing = [field for field in KINDS[kind].required if field not in found]
    if missing:
        raise FeedError(f"{kind} need a column for {', '.join(missing)}; {present(names, width)}")
    fields = (*KINDS[kind].required, *KINDS[kind].optional)
    return Mapped(kind, {field: found[field] for field in fields if field in found})


def told(columns: Mapping[str, Column], names: Sequence[str] | None, width: int) -> dict[str, int]:
    found = {}
    for field, column in columns.items():
        if field not in ALIASES:
            raise FeedError(f"field {field!r} is not known; allowed: {', '.join(ALIASES)}")
        if column is not None:
            found[field] = position(field, column, names, width)
    return found


def position(field: str, column: str | int, names: Sequence[str] | None, width: int) -> int:
    if isinstance(column, str):
        if names is not None and column in names:
            return names.index(column)
        if not column.isdecimal():
            raise FeedError(f"column {column!r} for {field} is not there; {present(names, width)}")
        column = int(column)
    if not 0 <= column < width:
        raise FeedError(f"column {column} for {field} is not in 0 to {width - 1}")
    return column


def by_name(found: dict[str, int], columns: Mapping[str, Column], names: Sequence[str]) -> None:
    """Add the fields that ``columns`` is silent about, from columns that it does not use."""
    taken = set(found.values())
    plain = [name.strip(" <>").lower().replace(" ", "_").replace("-", "_") for name in names]
    for field, aliases in ALIASES.items():
        if field in columns:
            continue
        for alias in aliases:
            if alias in plain and plain.index(alias) not in taken:
                found[field] = plain.index(alias)
                break


def guessed(width: int) -> str:
    if width in (3, 4):
        return "quotes"
    if width >= 6:
        return "bars"
    raise FeedError(f"no header and {width} columns: say kind or columns")


def detected(found: Mapping[str, int], names: Sequence[str] | None, width: int) -> str:
    fitting = [
        name
        for name, kind in KINDS.items()
        if all(field in found for field in kind.required if field != "time")
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise FeedError(f"rows could be {' or '.join(fitting)}: say kind")
    raise FeedError(f"neither bid, ask nor open, high, low, close found; {present(names, width)}")


def present(names: Sequence[str] | None, width: int) -> str:
    if names is None:
        return f"the file has no header and {width} columns"
    shown = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]!r}..." for name in names]
    more = "" if len(names) <= MOST_NAMES else f" and {len(names) - MOST_NAMES} more"
    return f"the file has {', '.join(shown[:MOST_NAMES])}{more}"
