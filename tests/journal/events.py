"""Events as the journal's tests make them."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from fastrouter.core.record import Record
from fastrouter.journal.entry import Entry
from fastrouter.journal.journal import Journal
from fastrouter.journal.writer import Writer


def entry(number: int, size: int = 20, event_type: str = "order") -> Entry:
    """The entry with this id; its body is a JSON object of `size` bytes or more."""
    body = b'{"n":%d,"x":"' % number
    return Entry(number, number, 1000 + number, event_type, "S:A", "main",
                 body + b"x" * (size - len(body) - 2) + b'"}')  # fmt: skip


def packed(one: Entry) -> bytes:
    """The entry as spool and tail hold it; any kind but candles."""
    texts = [text.encode() for text in (one.event_type, one.symbol, one.account)]
    sizes = [len(text) for text in texts]
    size = -(-(40 + sum(sizes) + len(one.body)) // 8) * 8
    head = struct.pack("QQqIIIHH", one.id, one.seq, one.time, size, len(one.body), *sizes[::-1])
    return (head + b"".join(texts) + one.body).ljust(size, b"\0")


def entries(*numbers: int, size: int = 20) -> list[Entry]:
    return [entry(number, size) for number in numbers]


def ids(found) -> list[int]:
    return [one.id for one in found]


def record(number: int, payload: Any = None, kind: str = "order") -> Record:
    """What a router would hand to its recorder."""
    return Record(kind=kind, event_type=kind, symbol="S:A", account="main",
                  payload={"n": number} if payload is None else payload,
                  id=number, seq=number, time=number)  # fmt: skip


def take(writer: Writer, *events: Entry) -> None:
    """What a keeper does with the events it packed."""
    for one in events:
        if writer._spool.append(packed(one)):
            writer.wake()
        else:
            writer.lose(one.id, False)


async def stored(journal: Journal) -> None:
    """All that was recorded is in the file."""
    while journal.disk.writer.backlog:  # noqa: ASYNC110 -- a thread tells nobody
        await asyncio.sleep(0)


class Router:
    """As much of a router as a journal follows."""

    def __init__(self) -> None:
        self.last_id = 0

    def start_after(self, number: int) -> None:
        self.last_id = number


class Outbox:
    """Takes all that is replayed."""

    def __init__(self):
        self.got = []
        self.live = asyncio.Event()

    def replay(self, records):
        self.got += ids(records)
        return 0

    def go_live(self):
        self.live.set()
