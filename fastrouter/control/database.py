"""An SQLite file and the one thread that uses it.

What waits when the thread is free goes into one transaction: under load the disk is
waited for once in a while, not once a change. Nobody is told before it is committed.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastrouter.errors import ConfigError, StoreError
from fastrouter.lock import Lock

__all__ = ["Database", "Work"]

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""Uses the connection, in the thread. It neither begins nor ends a transaction."""

APPLICATION = 0x46525354  # "FRST", in the file's header
MOST = 1000  # calls in a transaction
SCHEMAS = "CREATE TABLE IF NOT EXISTS schema (name TEXT PRIMARY KEY, version INTEGER) WITHOUT ROWID"


class Call(NamedTuple):
    """What is to be done, and who waits for it."""

    work: Work[Any]
    done: asyncio.Future[Any]


class Database:
    """The file at `path`, made when there is none; None: memory.

    Belongs to the thread of the running loop. `identity` is the locked file's (see
    `Lock`). Raises ConfigError for a file that is not ours, cannot be opened, or is another
    server's just now, by whatever name (code STORE_LOCKED).
    """

    def __init__(self, path: Path | None) -> None:
        path = path and path.resolve()  # by another name its log would be another
        self.path = path
        self._loop = asyncio.get_running_loop()
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        with ExitStack() as opened:
            self.identity = None if path is None else _lock(path, opened)
            self._connection = _connect(path)
            self._locks = opened.pop_all()
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self._thread.start()

    def schema(self, name: str, steps: Sequence[str]) -> None:
        """Bring the tables called `name` up to date. Nothing that was asked for may be under way.

        Each step is a script; those that the file has seen are left out: a new version
        appends one. Raises ConfigError for a file that is newer than the program.
        """
        connection = self._connection
        row = connection.execute("SELECT version FROM schema WHERE name = ?", (name,)).fetchone()
        version = row[0] if row else 0
        if version > len(steps):
            raise ConfigError(
                f"store {self.path}: its {name} are of version {version}; allowed: {len(steps)}"
            )
        for number, step in enumerate(steps[version:], version + 1):
            done = f"INSERT OR REPLACE INTO schema VALUES ('{name}', {number});"
            try:
                connection.executescript(f"BEGIN; {step}; {done} COMMIT;")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise ConfigError(f"store {self.path}: {name}: {error}") from None

    def run(self, work: Work[T]) -> asyncio.Future[T]:
        """Have the thread do it, after all that was asked for before; committed when it is done.

        Calls end in their order. What `work` raises undoes it alone. The future raises
        StoreError when the file does not take it (a full disk): nothing of it is kept then.
        """
        done: asyncio.Future[T] = self._loop.create_future()
        self._calls.put(Call(work, done))
        return done

    async def close(self) -> None:
        """Do what waits, and let go of the file. Safe to call again."""
        if self._thread.is_alive():
            self._calls.put(None)
            await asyncio.to_thread(self._thread.join)
            self._connection.close()
            self._locks.close()

    # ------------------------------------------------------------- in the thread

    def _serve(self) -> None:
        ended = False
        while not ended:
            calls, ended = self._gather()
            results = self._transact(calls) if calls else []
            told = list(zip(calls, results, strict=True))
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(_tell, told)

    def _gather(self) -> tuple[list[Call], bool]:
        """All that waits, at least one; and whether that is the end."""
        calls: list[Call] = []
        call = self._calls.get()
        while call is not None:
            calls.append(call)
            if len(calls) == MOST:
                return calls, False
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return calls, False
        return calls, True

    def _transact(self, calls: Sequence[Call]) -> list[Any]:
        """A result for each, or an exception."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [self._do(call.work) for call in calls]
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            return [StoreError(f"the store does not take it: {error}")] * len(calls)
        return results

    def _do(self, work: Work[Any]) -> Any:
        connection = self._connection
        connection.execute("SAVEPOINT work")
        try:
            result = work(connection)
        except sqlite3.OperationalError:
            raise  # the file's, and so everybody's
        except Exception as error:
            connection.execute("ROLLBACK TO work")
            result = error
        connection.execute("RELEASE work")
        return result


def _tell(told: Sequence[tuple[Call, Any]]) -> None:
    for call, result in told:
        if call.done.done():  # canceled: it is done all the same
            continue
        if isinstance(result, Exception):
            call.done.set_exception(result)
        else:
            call.done.set_result(result)


def _lock(path: Path, opened: ExitStack) -> tuple[int, int]:
    """Until `opened` is closed; which file it is, as of `Lock`. Raises ConfigError.

    The file beside it is what versions before locked, to which a hard link is another.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"store {path} cannot be opened: {error.strerror}") from None
    lock = Lock(path, "store")
    opened.callback(lock.close)
    opened.callback(Lock(path.with_name(path.name + "-lock"), "store").close)
    return lock.identity


def _connect(path: Path | None) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        try:
            (found,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if found != APPLICATION and (found or tables):
                raise ConfigError(f"store {path} is another program's")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(SCHEMAS)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"store {path} cannot be opened: {error}") from None
    return connection
