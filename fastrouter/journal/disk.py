"""A journal's files: the store, its spool, and who works on them."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

from fastrouter.errors import ConfigError
from fastrouter.journal.ids import Ids
from fastrouter.journal.packed import unpack
from fastrouter.journal.spool import Spool
from fastrouter.journal.store import Reader, Store
from fastrouter.journal.writer import Limits, Writer

__all__ = ["SPOOL_BYTES", "Disk"]

SPOOL_BYTES = 16 << 20


class Disk:
    """Opens the files at `path`: takes over what a run that was killed left in the spool.

    `start` is the last id that a run before may have used. Raises ConfigError
    for files that cannot be used.
    """

    def __init__(
        self, path: Path, max_age: float, max_bytes: int, spool_bytes: int = SPOOL_BYTES
    ) -> None:
        self._log = logging.getLogger("fastrouter.journal")
        self.spool = Spool(path.with_name(path.name + "-spool"), spool_bytes)
        try:
            self._store = Store(path)
        except ConfigError:
            self.spool.close()
            raise
        try:
            self._adopt()
            self._recover()
            self.ids = Ids(self._store, self.spool)
            self.reader = Reader(path)
        except (ConfigError, ValueError, sqlite3.Error) as error:
            self._store.close()
            self.spool.close()
            raise ConfigError(f"journal {path} cannot be used: {error}") from None
        self.start = self.ids.start
        self.writer = Writer(self.spool, self._store, self.ids, Limits(max_age, max_bytes))
        self.writer.start()
        self._open = True

    def _adopt(self) -> None:
        """Make sure that the spool is this store's."""
        spool, store = self.spool, self._store
        if not any(spool.owner):
            if not store.meta.clean:  # somebody removed the one that held the last events
                store.update(complete_after=store.meta.reserved)
            spool.owner = store.meta.owner
        elif spool.owner != store.meta.owner:
            raise ConfigError(
                f"the spool {spool.path} belongs to another journal; put back the file it "
                "belongs to, or remove the spool and what is in it"
            )

    def _recover(self) -> None:
        """Move what is in the spool to the store."""
        entries = [unpack(data) for data in self.spool.entries()]
        self._store.add(entries, time.time())
        self.spool.release(self.spool.head)
        if entries:
            self._log.info("journal: recovered %d events from the spool", len(entries))

    def close(self) -> None:
        """Store what waits, and give back ids. Safe to call again."""
        if not self._open:
            return
        self._open = False
        stored = self.writer.close()
        try:
            if stored:
                self._store.update(complete_after=self.writer.missing_to)
                self.ids.give_back()
            else:
                self._log.warning(
                    "journal: %d bytes stay in %s; the next run stores them",
                    self.spool.used,
                    self.spool.path,
                )
        except sqlite3.Error as error:
            self._log.error("journal: not closed as it should be: %s", error)
        self.reader.close()
        self._store.close()
        self.spool.close()
