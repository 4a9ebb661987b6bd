"""One event as the journal keeps it, and the bytes it becomes."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from fastrouter.core.event import Candle
from fastrouter.core.record import Record

__all__ = ["Entry", "compact", "encode", "entry_of", "parse", "record_of"]

#: of a closed candle, whose event type says the rest
CANDLE_FIELDS = ("open", "high", "low", "close", "volume", "time")


class Entry(NamedTuple):
    """A row: `body` is the payload as JSON, encoded when the event was published."""

    id: int
    seq: int
    time: int  # ns
    event_type: str
    symbol: str
    account: str
    body: bytes


def entry_of(record: Record) -> Entry:
    """What is kept of a record."""
    body = record.body
    if body is None:
        body = orjson.dumps([getattr(record.payload, name) for name in CANDLE_FIELDS])
    return Entry(record.id, record.seq, record.time, record.event_type, record.symbol,
                 record.account, compact(body))  # fmt: skip


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


def encode(entry: Entry) -> bytes:
    """The entry in one piece, for the spool."""
    return orjson.dumps((*entry[:6], orjson.Fragment(entry.body)))


def parse(data: bytes) -> Entry:
    """The entry that `encode` wrote."""
    *fields, payload = orjson.loads(data)
    return Entry._make([*fields, compact(orjson.dumps(payload))])
