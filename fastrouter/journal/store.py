"""The store: events by id in an SQLite file, bounded by age and by size.

::

    event   id, seq, time (ns), event_type, symbol, account, body (JSON), kept_at (s)
    meta    key, value: see `Meta`

Every statement is one step for SQLite, however many rows it has: the
interpreter's lock is let go and taken again once, and a busy event loop delays
a writer thread by milliseconds each time it has to take it.
"""

from __future__ import annotations

import math
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fastrouter.errors import ConfigError
from fastrouter.journal.entry import Entry, compact

__all__ = ["Meta", "Reader", "Store"]

APPLICATION = 0x46524A4C  # "FRJL", in the file's header
VERSION = 1
BATCHES = (512, 64, 8, 1)  # rows of an INSERT: few statements, all of them prepared once
PRUNE_ROWS = 4096  # deleted in one transaction
PAGE_ROWS = 512

SCHEMA = f"""
    BEGIN;
    CREATE TABLE event (
        id INTEGER PRIMARY KEY, seq INTEGER, time INTEGER, event_type TEXT, symbol TEXT,
        account TEXT, body BLOB, kept_at REAL);
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    PRAGMA application_id = {APPLICATION};
    PRAGMA user_version = {VERSION};
    COMMIT;
"""

PAGE = """
    SELECT json_group_array(json_array(
        id, seq, time, event_type, symbol, account, json(CAST(body AS TEXT))))
    FROM (SELECT *, sum(length(body)) OVER (ORDER BY id) - length(body) AS before
          FROM (SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?))
    WHERE before < ?
"""

#: The last id that may go: of the first rows, those kept before a time.
PRUNABLE = """
    SELECT max(id) FROM (SELECT id, kept_at FROM event ORDER BY id LIMIT ?) WHERE kept_at < ?
"""


class Meta(NamedTuple):
    """What the file knows of itself. Each is one row of the table."""

    owner: bytes = b""  # whose spool belongs to it, 16 bytes
    reserved: int = 0  # no run has used an id above
    clean: int = 1  # 0 while a server has it, and after one was killed
    boot: str = ""  # of the machine, when a server opened it
    complete_after: int = 0  # events up to this id may be missing


class Store:
    """The file at `path`, made when there is none. Belongs to one thread at a time.

    Raises ConfigError for a file that is no journal, one of another version,
    and one that cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise _unusable(path, error) from None
        try:
            self._check()
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA journal_size_limit = 16777216")
            known = dict(self._db.execute("SELECT key, value FROM meta"))
            self.meta = Meta(**known) if known else self._first_meta()
            self.first, self.last = self._ends()
        except (sqlite3.Error, TypeError) as error:
            self._db.close()
            raise _unusable(path, error) from None
        except ConfigError:
            self._db.close()
            raise

    def _check(self) -> None:
        application, version, tables = self._db.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "
            "FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if not (application or version or tables):
            self._db.executescript(SCHEMA)
        elif application != APPLICATION:
            raise ConfigError(f"journal {self.path} is a database of another program")
        elif version != VERSION:
            raise ConfigError(
                f"journal {self.path} has version {version}; this fastrouter reads {VERSION}"
            )

    def _first_meta(self) -> Meta:
        meta = Meta(owner=secrets.token_bytes(16))
        self._put(meta)
        return meta

    # ------------------------------------------------------------------ write

    def add(self, entries: Sequence[Entry], kept_at: float) -> None:
        """Keep all of them, or none when it raises. An id that is there already is left as it is.

        `kept_at` is when, in s since the epoch. Raises sqlite3.Error.
        """
        with self._transaction():
            done = 0
            for rows in BATCHES:
                while len(entries) - done >= rows:
                    part = entries[done : done + rows]
                    values = chain.from_iterable((*entry, kept_at) for entry in part)
                    self._db.execute(INSERTS[rows], tuple(values))
                    done += rows
        self.first = self.first or (entries[0].id if entries else 0)
        self.last = max(self.last, entries[-1].id if entries else 0)

    def update(self, *, durable: bool = False, **changes: Any) -> None:
        """Change fields of `meta`. `durable`: on the disk, whatever happens to the machine.

        Raises sqlite3.Error; `meta` is then what it was.
        """
        meta = self.meta._replace(**changes)
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        try:
            self._put(meta)
        finally:
            self._db.execute("PRAGMA synchronous = NORMAL")
        self.meta = meta

    def prune(self, *, oldest: float, max_bytes: int) -> bool:
        """Delete a few thousand events kept before `oldest` (s), or too many for `max_bytes`.

        True when there may be more of them: call again. `meta.complete_after`
        says what has gone. Raises sqlite3.Error.
        """
        too_many = self.bytes > max_bytes
        limit = math.inf if too_many else oldest
        with self._transaction():
            (last,) = self._db.execute(PRUNABLE, (PRUNE_ROWS, limit)).fetchone()
            if last is None:
                return False
            deleted = self._db.execute("DELETE FROM event WHERE id <= ?", (last,)).rowcount
            # before the commit: who reads what is left must know already
            self.meta = self.meta._replace(complete_after=max(self.meta.complete_after, last))
            self._write(self.meta)
        self.first = self._ends()[0]
        return too_many or deleted == PRUNE_ROWS

    @property
    def bytes(self) -> int:
        """What the events take in the file; pages that are free again do not count."""
        used, size = self._db.execute(
            "SELECT page_count - freelist_count, page_size "
            "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        ).fetchone()
        return int(used * size)

    def close(self) -> None:
        """Close the file. Safe to call again."""
        self._db.close()

    def _put(self, meta: Meta) -> None:
        with self._transaction():
            self._write(meta)

    def _write(self, meta: Meta) -> None:
        self._db.executemany("REPLACE INTO meta VALUES (?, ?)", meta._asdict().items())

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    def _ends(self) -> tuple[int, int]:
        ends: tuple[int | None, int | None] = self._db.execute(
            "SELECT (SELECT min(id) FROM event), (SELECT max(id) FROM event)"
        ).fetchone()
        return ends[0] or 0, ends[1] or 0


class Reader:
    """Reads the file of a `Store` that is open, on a connection and in a thread of its own."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self.page(0, 0)  # now it has all of its files open, whoever removes them

    def page(self, after: int, size: int) -> list[Entry]:
        """Events after an id, in order: about `size` bytes of bodies, [] when there are none.

        Raises sqlite3.Error.
        """
        (found,) = self._db.execute(PAGE, (after, PAGE_ROWS, size)).fetchone()
        return list(_entries(orjson.loads(found)))

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


class _Transaction:
    """BEGIN, then COMMIT or ROLLBACK."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def __enter__(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.db.execute("COMMIT")
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")


def _insert(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * rows)
    return f"INSERT OR IGNORE INTO event VALUES {values}"


INSERTS = {rows: _insert(rows) for rows in BATCHES}


def _entries(rows: list[list[Any]]) -> Iterator[Entry]:
    for *fields, payload in rows:
        yield Entry._make([*fields, compact(orjson.dumps(payload))])


def _unusable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"journal {path} cannot be used: {error}")
