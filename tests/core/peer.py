"""What the core's tests share: a router that stands still in time, and readable peers."""

from __future__ import annotations

from typing import Any

import orjson

from fastrouter.core.event import Candle, Quote
from fastrouter.core.record import Record, Recorder
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load

START = 1_735_689_600_000_000_000  # 2025-01-01T00:00:00Z
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DIALECT = load("trading-api")


def quote(symbol: str, bid: float = 1.0) -> Quote:
    return Quote(symbol, bid=bid, ask=bid + 1)


def candle(symbol: str, close: float = 1.0, closed: bool = True, time: int = START) -> Candle:
    return Candle(symbol, open=1, high=9, low=1, close=close, volume=5, time=time, closed=closed)


def drain(router: Router) -> None:
    while router.flush(7):
        pass


def body(message: dict[str, Any]) -> dict[str, Any]:
    return message["quote"] if message["type"] == "quote" else message["bar"]


class Peer:
    """An outbox on a memory sink, and the messages that came out of it."""

    def __init__(self, router: Router, *patterns: tuple[str, str], room: int | None = None):
        self.sink = MemorySink(room)
        self.outbox = router.attach(self.sink, DIALECT)
        self.outbox.subscribe(patterns)

    def read(self) -> list[dict[str, Any]]:
        return [orjson.loads(message) for message in self.sink.messages()]

    def release(self) -> None:
        """The sink takes everything again."""
        self.sink.give()
        self.outbox.resume()


class Kept(Recorder):
    """A recorder that keeps everything in a list."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)

    def after(self, since: int) -> list[Record]:
        return [record for record in self.records if record.id > since]
