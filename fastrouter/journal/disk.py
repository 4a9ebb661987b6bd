"""A journal's files: the store, its spool, and who works on them."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from fastrouter.errors import ConfigError
from fastrouter.journal.ids import Ids
from fastrouter.journal.packed import unpack
from fastrouter.journal.presence import Presence
from fastrouter.journal.spool import Spool
from fastrouter.journal.store import Reader, Store
from fastrouter.journal.writer import Limits, Writer
from fastrouter.lock import Lock

__all__ = ["SPOOL_BYTES", "Disk"]

SPOOL_BYTES = 16 << 20

File = TypeVar("File", Lock, Store, Spool, Reader)


class Disk:
    """Opens the files at `path`: takes over what a run that was killed left in the spool.

    `start` is the last id that a run before may have used. Raises ConfigError
    for files that cannot be used.
    """

    def __init__(
        self, path: Path, max_age: float, max_bytes: int, spool_bytes: int = SPOOL_BYTES
    ) -> None:
        self._log = logging.getLogger("fastrouter.journal")
        path = path.resolve()  # by another name it is the same journal, with the same spool
        with ExitStack() as opened:
            lock = _closed_by(opened, Lock(path))
            if lock.new:
                opened.push(_removed_on_error(path))
            self._store = _closed_by(opened, Store(path))
            spool_path = path.with_name(path.name + "-spool")
            if not spool_path.exists():
                opened.push(_removed_on_error(spool_path))
            self.spool = _closed_by(opened, Spool(spool_path, spool_bytes))
            try:
                self._adopt()
                self._recover()
                self.ids = Ids(self._store, self.spool)
                self.reader = _closed_by(opened, Reader(path))
            except (ConfigError, ValueError, sqlite3.Error) as error:
                raise ConfigError(f"journal {path} cannot be used: {error}") from None
            self._files = opened.pop_all()
        self.start = self.ids.start
        sidecars = (path.with_name(path.name + end) for end in ("-wal", "-shm", "-spool"))
        self.writer = Writer(
            self.spool,
            self._store,
            self.ids,
            Limits(max_age, max_bytes),
            Presence((path, *sidecars)),
        )
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
            if self.writer.removed:
                self._log.error("journal: not closed as it should be: files were removed")
            elif stored:
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
        self._files.close()


def _closed_by(opened: ExitStack, file: File) -> File:
    opened.callback(file.close)
    return file


def _removed_on_error(path: Path) -> Callable[..., None]:
    """What an ExitStack calls: what a start made is gone again when it fails."""

    def leave(kind: object, error: object, trace: object) -> None:
        if kind is not None:
            path.unlink(missing_ok=True)

    return leave
