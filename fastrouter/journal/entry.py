"""One event as the store has it, and the record it becomes again."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from fastrouter.core.event import Candle
from fastrouter.core.record import Record

__all__ = ["CANDLE_FIELDS", "Entry", "compact", "record_of"]

#: of a closed candle, whose event type says the rest
CANDLE_FIELDS = ("open", "high", "low", "close", "volume", "time")


class Entry(NamedTuple):
    """A row: `body` is the payload as JSON; of a candle, its CANDLE_FIELDS."""

    id: int
    seq: int
    time: int  # ns
    event_type: str
    symbol: str
    account: str
    body: bytes


def compact(body: bytes) -> bytes:
    """The same bytes in memory of their own: orjson leaves 4 KiB behind each result."""
    return bytes(memoryview(body))


def record_of(entry: Entry) -> Record:
    """The record again, as its router published it."""
    kind, at, timeframe = entry.event_type.partition("@")
    payload: Any = orjson.loads(entry.body)
    if at:
        values = dict(zip(CANDLE_FIELDS, payload, strict=True))
        payload = Candle(entry.symbol, timeframe=timeframe, **values)
    return Record(
        kind=kind,
        event_type=entry.event_type,
        symbol=entry.symbol,
        account=entry.account,
        payload=payload,
        id=entry.id,
        seq=entry.seq,
        time=entry.time,
    )
