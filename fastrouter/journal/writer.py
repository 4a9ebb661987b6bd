"""The writer: a thread that moves entries from the spool to the store, and keeps it in bounds."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from fastrouter.journal.ids import Ids
from fastrouter.journal.packed import unpack
from fastrouter.journal.presence import Presence
from fastrouter.journal.spool import Spool
from fastrouter.journal.store import Store

__all__ = ["Limits", "Writer"]

BATCH = 4096  # entries of one transaction
GATHER_SECONDS = 0.02  # between two batches: fewer, fuller transactions
IDLE_SECONDS = 1.0  # between two looks at ids and age when nothing happens
PRUNE_SECONDS = 5.0
FIRST_RETRY = 0.25  # s after a failure; doubled up to LAST_RETRY
LAST_RETRY = 15.0
PATIENCE_SECONDS = 0.25  # that the event loop waits for room, once


class Limits:
    """How much a store may hold: age in s, and bytes."""

    __slots__ = ("max_age", "max_bytes")

    def __init__(self, max_age: float, max_bytes: int) -> None:
        self.max_age = max_age
        self.max_bytes = max_bytes


class Writer:
    """Spool, store, and the thread between them, once it is started.

    What the event loop's thread puts into the spool goes to the store in
    batches. What the store cannot take (a full disk) waits in the spool; what
    finds no room there either is lost, which `lost` and a log line say.
    """

    def __init__(
        self, spool: Spool, store: Store, ids: Ids, limits: Limits, presence: Presence
    ) -> None:
        self.stored_to = ids.start  # what earlier runs spooled is stored
        self.errors = 0
        self.lost = 0
        self.removed: list[Path] = []  # files that somebody removed or replaced
        self._spool = spool
        self._store = store
        self._ids = ids
        self._limits = limits
        self._presence = presence
        self._log = logging.getLogger("fastrouter.journal")
        self._wake = threading.Event()
        self._moved = threading.Event()
        self._closing = threading.Event()
        self._retry = 0.0
        self._next_prune = 0.0
        self._thread = threading.Thread(target=self._run, name="fastrouter-journal", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    # ------------------------------------------------- on the event loop's thread

    def wake(self) -> None:
        """There is something in the spool."""
        self._wake.set()

    def make_room(self) -> bool:
        """Hold the caller until the store has taken a batch: it is slower than the publisher.

        False when it fails, or takes longer than anybody should be held.
        """
        if self._retry:
            return False
        self._moved.clear()
        self._wake.set()
        return self._moved.wait(PATIENCE_SECONDS)

    def lose(self, event: int, again: bool) -> None:
        """The event with this id found no room; `again`: nor did the one before."""
        self._spool.lost_to = event
        self.lost += 1
        if not again:
            self._log.error("journal: no room; events from evt_%d on are not kept", event)

    @property
    def behind(self) -> bool:
        """Should a publisher that can wait do so? Not for a disk that fails: that may take long."""
        return not self._retry and self.backlog > self._spool.capacity // 2

    @property
    def missing_to(self) -> int:
        """Events up to this id may be missing: pruned, or lost."""
        return max(self._store.meta.complete_after, self._spool.lost_to)

    @property
    def first(self) -> int:
        """The oldest id in the store, 0 when it is empty."""
        return self._store.first

    @property
    def backlog(self) -> int:
        """Bytes in the spool that are not in the store."""
        return self._spool.used

    def close(self) -> bool:
        """Store what waits, and end the thread. False when the store could not take it all."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._look()
        return not self._spool.used

    # ---------------------------------------------------------- in the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
            self.attempt()
            self._closing.wait(max(GATHER_SECONDS, self._retry))
        self.attempt()

    def attempt(self) -> None:
        """One round of work. A failure is counted and logged once; the next round repeats it."""
        try:
            self._ids.extend()  # first: what it does to the spool must not depend on the store
            self._move()
            self._prune()
        except Exception as error:
            self._failed(error)
        else:
            self._recovered()

    def _move(self) -> None:
        self._spool.noticed = False  # what comes from here on has to wake us
        while True:
            packed, position = self._spool.read(BATCH)
            if not packed:
                return
            entries = [unpack(data) for data in packed]
            self._store.add(entries, time.time())
            self.stored_to = entries[-1].id
            self._spool.release(position)
            self._moved.set()

    def _prune(self) -> None:
        now = time.monotonic()
        if now < self._next_prune:
            return
        self._look()
        oldest = time.time() - self._limits.max_age
        if not self._store.prune(oldest=oldest, max_bytes=self._limits.max_bytes):
            self._next_prune = now + PRUNE_SECONDS

    def _look(self) -> None:
        """Are the files still there? What is written to those that are not is gone at the close."""
        if self.removed:
            return
        self.removed = self._presence.removed()
        if self.removed:
            self.errors += 1
            names = ", ".join(map(str, self.removed))
            self._log.error(
                "journal: removed or replaced while in use: %s; "
                "sessions can still resume, but perhaps not after a restart",
                names,
            )

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        if not self._retry:
            self._log.error("journal: cannot write, will try again: %s", error)
        self._retry = min(LAST_RETRY, 2 * self._retry or FIRST_RETRY)
        self._moved.set()

    def _recovered(self) -> None:
        if self._retry:
            self._log.warning("journal: writes again after %d errors", self.errors)
        self._retry = 0.0
