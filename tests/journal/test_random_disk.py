"""A journal on a disk that fails now and then, and sessions that come back to any position of it.

What a session gets is whole and in order, or a RESUME_GAP covers what it misses.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import sqlite3
from concurrent.futures import Future
from functools import partial

import pytest

from fastrouter.core.event import Candle
from fastrouter.core.record import Record
from fastrouter.journal import disk as disk_module
from fastrouter.journal import journal as journal_module
from fastrouter.journal.disk import Disk
from fastrouter.journal.journal import Journal
from fastrouter.journal.store import Store
from fastrouter.journal.writer import Writer

from .events import Router, record

SPOOL = 32 << 10  # a burst or two
TAIL = 96 << 10  # as in a journal: more than the spool has, whatever its chunks waste
STORE = 100 << 10  # bytes that pruning leaves

MISSING = re.compile(r"events after evt_(\d+) up to evt_(\d+) may be missing; ")
UNKNOWN = re.compile(r"evt_(\d+) is no event of this server; ")
OLDEST = re.compile(r"replaying from evt_(\d+), the oldest that is kept")
COMPLETE = re.compile(r"replaying what is kept, which is complete after evt_(\d+)")


class FailingStore(Store):
    """Takes as many batches as `works` says; None: all."""

    works: int | None = None

    def add(self, entries, kept_at):
        if self.works is not None:
            if not self.works:
                raise sqlite3.OperationalError("database or disk is full")
            self.works -= 1
        super().add(entries, kept_at)


class SteppedWriter(Writer):
    """Works when it is told to, and while a publisher waits for room."""

    _next_prune = math.inf

    def start(self):
        self._next_prune = math.inf

    def make_room(self):
        if not self._retry:
            self.attempt()
        return not self._retry

    def close(self):
        self.attempt()
        return not self.backlog


class AtOnce:
    """An executor without a thread."""

    def submit(self, call, *args):
        future = Future()
        try:
            future.set_result(call(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **options):
        pass


class Session:
    """Comes back with `since`; its socket takes a step's events when it is told to."""

    def __init__(self, journal, since):
        self.since = 0 if since > journal.last_id else since
        self.got = []
        self.gaps = []
        self.live = False
        self.replayed = journal.replay(self, since, self.gap, pytest.fail)

    def gap(self, text):
        found = MISSING.match(text)
        # an id of another server: from the first on, up to where what is kept begins
        after, end = map(int, found.groups()) if found else (0, None)
        assert found or UNKNOWN.match(text)
        oldest, complete = OLDEST.search(text), COMPLETE.search(text)
        if end is None and (oldest or complete):
            end = int(complete[1]) if complete else int(oldest[1]) - 1
        assert not complete or int(complete[1]) == end
        assert not oldest or int(oldest[1]) > end
        assert not self.got or self.got[-1] <= after or found is None
        self.gaps.append((after, math.inf if end is None else end))

    def replay(self, records):
        for one in records:
            number = one.payload.time if one.kind == "candle" else one.payload["n"]
            assert number == one.id == one.seq
        self.got += [one.id for one in records]
        return len(records)

    def go_live(self):
        self.live = True

    def check(self, published):
        """Whole and in order, but for the gaps."""
        expected = [one for one in published if one > self.since]
        assert self.got == sorted(set(self.got))
        assert set(self.got) <= set(expected)
        missing = set(expected) - set(self.got)
        assert all(any(after < one <= end for after, end in self.gaps) for one in missing)


def closed_candle(number):
    candle = Candle("S:A", timeframe="1m", open=1.0, high=2.0, low=0.5, close=1.5, volume=1.0,
                    time=number)  # fmt: skip
    return Record(kind="candle", event_type="candle@1m", symbol="S:A", account="", payload=candle,
                  id=number, seq=number, time=number)  # fmt: skip


class Journals:
    """One file, the runs that use it one after another, and their sessions."""

    def __init__(self, path, seed) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.loop = asyncio.new_event_loop()
        self.published: list[int] = []
        self.open()

    def open(self) -> None:
        self.sessions: list[Session] = []
        self.journal = Journal(self.path, max_bytes=STORE)
        self.journal._threads = AtOnce()
        self.router = Router()
        self.journal.follow(self.router)

    def run(self, turns: int) -> None:
        async def turn() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())

    def publish(self) -> None:
        size, skip = self.random.choice((100, 2000, 4000)), self.random.randrange(3)
        for number in range(self.random.randrange(60)):
            self.router.last_id += 1 + skip  # market data has ids, too
            event = self.router.last_id
            one = record(event, {"n": event, "x": "x" * size})
            self.journal.record(closed_candle(event) if number % 3 == 2 else one)
            self.published.append(event)
            for session in self.sessions:
                if session.live:
                    session.got.append(event)

    def disk_takes(self) -> None:
        self.journal.disk._store.works = self.random.choice((0, 0, 1, None))

    def write(self) -> None:
        self.journal.disk.writer.attempt()

    def prune(self) -> None:
        self.journal.disk.writer._next_prune = 0.0
        self.journal.disk.writer.attempt()
        self.journal.disk.writer._next_prune = math.inf

    def resume(self) -> None:
        since = self.random.choice([0, *self.published, self.router.last_id + 1])

        async def begin() -> None:
            self.sessions.append(Session(self.journal, since))

        self.loop.run_until_complete(begin())
        self.run(self.random.randrange(4))

    def sockets_drain(self) -> None:
        async def drain() -> None:
            for session in self.sessions:
                session.replayed.drained()

        self.loop.run_until_complete(drain())
        self.run(self.random.randrange(1, 5))

    def all_go_live(self) -> None:
        for _ in range(10_000):
            if all(session.live for session in self.sessions):
                return
            self.sockets_drain()
        raise AssertionError("it never ends")

    def restart(self) -> None:
        self.all_go_live()
        self.whole_or_told()
        if self.random.random() < 0.5:  # killed
            self.journal.disk._files.close()
        else:
            self.journal.close()
        self.open()

    def whole_or_told(self) -> None:
        for session in self.sessions:
            assert session.got == sorted(set(session.got))
            if session.live:
                session.check(self.published)

    def close(self) -> None:
        self.all_go_live()
        self.whole_or_told()
        self.journal.close()
        self.loop.close()


STEPS = {
    Journals.publish: 8,
    Journals.disk_takes: 2,
    Journals.write: 2,
    Journals.prune: 1,
    Journals.resume: 8,
    Journals.sockets_drain: 4,
    Journals.restart: 1,
}


@pytest.mark.parametrize("seed", range(20))
def test_whole_and_in_order_or_told(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(disk_module, "Store", FailingStore)
    monkeypatch.setattr(disk_module, "Writer", SteppedWriter)
    monkeypatch.setattr(journal_module, "Disk", partial(Disk, spool_bytes=SPOOL))
    monkeypatch.setattr(journal_module, "FILE_TAIL_BYTES", TAIL)
    journals = Journals(tmp_path / "journal.db", seed)
    for step in journals.random.choices(list(STEPS), list(STEPS.values()), k=150):
        step(journals)
        journals.whole_or_told()
    journals.close()
