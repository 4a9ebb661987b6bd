"""The journal: every lossless event, kept before anybody is sent it, and replayed on demand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastrouter.errors import ConfigError
from fastrouter.journal.bookmark import Bookmark
from fastrouter.journal.counters import Counters
from fastrouter.journal.delivery import Delivery
from fastrouter.journal.disk import Disk
from fastrouter.journal.entry import Entry
from fastrouter.journal.keeper import Keeper
from fastrouter.journal.pages import PAGE_BYTES, Page, Pages
from fastrouter.journal.pump import Pump
from fastrouter.journal.recent import Recent
from fastrouter.journal.replay import Replay
from fastrouter.journal.tail import Tail

if TYPE_CHECKING:
    from fastrouter.core.outbox import Outbox
    from fastrouter.core.router import Router
    from fastrouter.journal.spool import Spool

__all__ = ["Journal"]

TAIL_BYTES = 16 << 20
FILE_TAIL_BYTES = 24 << 20  # more than the spool has: what is not stored yet is here
FILE_BYTES = 1 << 30
DAY = 86_400.0  # s
#: Where ids of a run without a file begin: as many for each second since then, so that a later
#: run begins behind an earlier one which published fewer than that a second, all told.
IDS_A_SECOND = 100_000
SINCE = 1_735_689_600  # s: 2025-01-01T00:00:00Z; every digit costs each message a byte


class Journal(Keeper):
    """Keeps the lossless events of one router, and brings sessions up to date with them.

    - `path`: the SQLite file, made when there is none, with a spool beside it
      (``PATH-spool``). None: memory only, so that sessions can come back
      within one run;
    - `max_age`: s that an event is kept for in the file (default: a day);
    - `max_bytes`: what the file may hold (default 1 GiB), without a path what
      is held in memory (default 16 MiB);
    - `fresh`: without a path, begin ids behind those of earlier runs, so that a
      session which comes from one of them is told RESUME_GAP. Otherwise they
      begin at 1: the same events are the same bytes in every run;
    - `recent`: without a path, a spool (4 MiB) that has the newest events over a restart,
      SIGKILL included; ids are `fresh`. See `fastrouter.journal.recent`.

    All but `close` belongs to the thread of the event loop. What cannot be kept
    is logged and counted (`counters()`), and told to the sessions that would
    have needed it; it never stops the router. Raises ConfigError for a path
    that cannot be a journal's or that another server uses.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        max_age: float = DAY,
        max_bytes: int | None = None,
        fresh: bool = False,
        recent: Path | None = None,
    ) -> None:
        self.disk: Disk | None = None
        self.recent: Recent | None = None
        self.read_errors = 0
        self.replay_errors = 0
        self.pump = Pump()
        self.pages = Pages(self._read, lambda: self.tail.after)
        self._log = logging.getLogger("fastrouter.journal")
        self._router: Router | None = None
        self._threads: ThreadPoolExecutor | None = None
        #: ids go on after this one
        self.start = 0
        if path is not None:
            self.disk = Disk(Path(path), max_age, max_bytes or FILE_BYTES)
            self.start = self.disk.start
            tail = Tail(FILE_TAIL_BYTES, self.start)
            super().__init__(tail, self.disk.spool, self.disk.writer)
        elif recent is not None:
            self.start = _fresh_start()
            self.recent = Recent(recent, self.start)
            tail = self.recent.tail(max_bytes or TAIL_BYTES)
            self.start = max(self.start, tail.last)
            super().__init__(tail, self.recent.spool, self.recent)
        else:
            self.start = _fresh_start() if fresh else 0
            super().__init__(Tail(max_bytes or TAIL_BYTES, self.start))

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def follow(self, router: Router) -> None:
        """Be the journal of this router, before its first event: its ids go on after ours."""
        if self._router is not None:
            raise ConfigError("this journal has a router; allowed: one")
        router.start_after(self.start)
        self._router = router
        if self.disk is not None:
            self.disk.ids.last_id = lambda: router.last_id

    def bookmark(self, name: str) -> Bookmark:
        """How far the source called `name` has been published; without a file, in this run."""
        return Bookmark(name, self._file)

    def delivery(self, store: bytes) -> Delivery:
        """Which events of the store with that name (16 bytes) are published.

        To be asked for before the first is: of one that was under way when a run was killed,
        the file says whether it was. Raises sqlite3.Error.
        """
        return Delivery(store, self._file, self.has)

    def has(self, event: int) -> bool:
        """Was there an event with this id, of the lossless ones of an earlier run?

        True for one that is no longer kept. Raises sqlite3.Error.
        """
        if self.disk is not None:
            page = self.disk.reader.page(event - 1, 1)
            return bool(page and page[0].id == event) or event <= self.disk.writer.missing_to
        if self.recent is None:
            return False
        if event <= self.tail.after:
            return True
        page = self.tail.page(event - 1, 1)
        return bool(page and page[0].id == event)

    @property
    def resumes(self) -> bool:
        """Can sessions of an earlier run have what they missed?"""
        return self._file is not None

    @property
    def _file(self) -> Spool | None:
        """What survives this process."""
        files = self.disk or self.recent
        return files.spool if files is not None else None

    @property
    def behind(self) -> bool:
        """Should a publisher that can wait do so, until the file has what was published?"""
        return self.disk is not None and self.disk.writer.behind

    def counters(self) -> Counters:
        """What has been done since the start, and what is kept now."""
        writer = self.disk.writer if self.disk is not None else None
        return Counters(
            recorded=self.recorded,
            lost=writer.lost if writer else 0,
            write_errors=writer.errors if writer else 0,
            read_errors=self.read_errors,
            replay_errors=self.replay_errors,
            replays=len(self.pump.replays),
            spool_bytes=writer.backlog if writer else 0,
            tail_bytes=self.tail.size,
            first_id=self.first_id,
            last_id=self.last_id,
        )

    def close(self) -> None:
        """Store what waits and give back the ids that were not used. Safe to call again."""
        for replay in list(self.pump.replays):
            replay.cancel()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
        for files in (self.disk, self.recent):
            if files is not None:
                files.close()

    # ----------------------------------------------------------------- replay

    def replay(
        self, outbox: Outbox, since: int, gap: Callable[[str], None], failed: Callable[[], None]
    ) -> Replay:
        """Send a held outbox what it is subscribed to after the id `since`, then let it go live.

        `gap(text)` is called when some of that may be missing, `failed()` when it
        cannot go on (a dialect raised): the session has to be closed. The caller
        passes on `drained` from the outbox's sink, and cancels when the
        session ends.
        """
        told = 0
        if since > self.last_id:
            told = self.missing_after(0)
            gap(f"evt_{since} is no event of this server; {self._what_follows(told)}")
            since = 0
        replay = Replay(self, outbox, since, gap, failed, told)
        self.pump.add(replay)
        return replay

    def replay_failed(self, error: Exception) -> None:
        """Count it; the first is logged with its traceback."""
        if not self.replay_errors:
            self._log.error("journal: a replay failed: %r", error, exc_info=error)
        self.replay_errors += 1

    @property
    def last_id(self) -> int:
        """The id of the newest event, recorded or not."""
        return self.start if self._router is None else self._router.last_id

    def missing_after(self, position: int) -> int:
        """The id up to which events after `position` may be missing; 0: none is."""
        tail = self.tail
        if position >= tail.after:
            return 0
        missing = tail.after
        if self.disk is not None and tail.after <= self.disk.writer.stored_to:
            missing = min(missing, self.disk.writer.missing_to)
        return missing if missing > position else 0

    def describe_gap(self, position: int, end: int) -> str:
        """What to tell a session that misses events after `position`, up to `end`."""
        what_follows = self._what_follows(end)
        return f"events after evt_{position} up to evt_{end} may be missing; {what_follows}"

    def page(self, position: int) -> Page | None:
        """The page that follows `position`, when it is in memory."""
        page = self.pages.get(position)
        if page is None and self.tail.after <= position < self.tail.last:
            entries = self.tail.page(position, PAGE_BYTES)
            page = self.pages.put(Page(position, entries[-1].id, entries))
        return page

    @property
    def first_id(self) -> int:
        """The id of the oldest event that is kept, 0 when none is."""
        return (self.disk.writer.first if self.disk is not None else 0) or self.tail.first

    def _what_follows(self, end: int) -> str:
        """What a session is sent that may miss events up to `end`."""
        first = self.first_id
        if not first:
            return "replaying from now: none is kept"
        if first > end:
            return f"replaying from evt_{first}, the oldest that is kept"
        return f"replaying what is kept, which is complete after evt_{end}"

    # ------------------------------------------------- reading, in a thread

    def _read(self, after: int, done: Callable[[Sequence[Entry] | None], None]) -> None:
        loop = asyncio.get_running_loop()
        if self.disk is None:  # what is not in the tail is nowhere
            loop.call_soon(done, ())
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, "fastrouter-journal-read")
        reading = self._threads.submit(self.disk.reader.page, after, PAGE_BYTES)
        reading.add_done_callback(partial(_hand_over, loop, partial(self._have, done)))

    def _have(self, done: Callable[[Sequence[Entry] | None], None], reading: Future[Any]) -> None:
        try:
            entries = reading.result()
        except (sqlite3.Error, ValueError) as error:
            self.read_errors += 1
            self._log.error("journal: cannot read: %s", error)
            entries = None
        done(entries)


def _hand_over(
    loop: asyncio.AbstractEventLoop, have: Callable[[Future[Any]], None], reading: Future[Any]
) -> None:
    """From the reading thread to the loop's, unless either has ended."""
    if not reading.cancelled():
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(have, reading)


def _fresh_start() -> int:
    return int((time.time() - SINCE) * IDS_A_SECOND)
