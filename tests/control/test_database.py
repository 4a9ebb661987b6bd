"""The store's thread: order, group commits, a full disk, locks, files that are not ours."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fastrouter.control.database import MOST, Database
from fastrouter.errors import ConfigError, StoreError

PROGRAM = """
import asyncio, sys
from pathlib import Path
from fastrouter.control.database import Database
from fastrouter.errors import ConfigError
async def main():
    try:
        await Database(Path(sys.argv[1])).close()
    except ConfigError as error:
        print(error.code, error)
asyncio.run(main())
"""
SCHEMA = ["CREATE TABLE thing (number INTEGER PRIMARY KEY, text TEXT)"]


def put(number: int, text: str = ""):
    def work(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO thing VALUES (?, ?)", (number, text))
        return number

    return work


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT number FROM thing ORDER BY number")]


@pytest.fixture
async def database(tmp_path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "state.db")
    opened.schema("things", SCHEMA)
    yield opened
    await opened.close()


def held(database: Database, ready: asyncio.Event, loop: asyncio.AbstractEventLoop):
    """Work that keeps the thread until it is let go, so that what is asked for waits together."""
    gate = threading.Event()

    def work(connection: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(ready.set)
        gate.wait()

    return gate, database.run(work)


async def test_results_come_in_the_order_of_the_calls(database):
    told = []
    calls = [database.run(put(number)) for number in range(50)]
    for call in calls:
        call.add_done_callback(lambda done: told.append(done.result()))
    assert await asyncio.gather(*calls) == list(range(50))
    assert told == list(range(50))


async def test_what_waits_is_one_transaction(database):
    ready = asyncio.Event()
    gate, first = held(database, ready, asyncio.get_running_loop())
    await ready.wait()
    changes = []

    def count(connection: sqlite3.Connection) -> None:
        changes.append(connection.execute("PRAGMA data_version").fetchone())
        changes.append(connection.in_transaction)

    calls = [database.run(work) for work in (put(1), count, put(2), count)]
    gate.set()
    await asyncio.gather(first, *calls)
    assert changes[1::2] == [True, True]
    assert await database.run(numbers) == [1, 2]


async def test_more_than_fits_a_transaction(database):
    calls = [database.run(put(number)) for number in range(MOST + 10)]
    await asyncio.gather(*calls)
    assert len(await database.run(numbers)) == MOST + 10


async def test_what_raises_undoes_itself_alone(database):
    def fail(connection: sqlite3.Connection) -> None:
        put(7)(connection)
        raise ZeroDivisionError

    ready = asyncio.Event()
    gate, first = held(database, ready, asyncio.get_running_loop())
    await ready.wait()
    calls = [database.run(work) for work in (put(1), fail, put(1), put(2))]
    gate.set()
    await first
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[0] == 1
    assert isinstance(results[1], ZeroDivisionError)
    assert isinstance(results[2], sqlite3.IntegrityError)  # the same number twice
    assert results[3] == 2
    assert await database.run(numbers) == [1, 2]


async def test_a_full_disk_fails_all_that_waited_and_nothing_else(database):
    await database.run(put(1))
    (pages,) = await database.run(lambda c: c.execute("PRAGMA page_count").fetchone())
    await database.run(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    ready = asyncio.Event()
    gate, first = held(database, ready, asyncio.get_running_loop())
    await ready.wait()
    calls = [database.run(work) for work in (put(2), put(3, "x" * 100_000), put(4))]
    gate.set()
    await first
    for call in calls:
        with pytest.raises(StoreError, match="full"):
            await call
    assert await database.run(numbers) == [1]
    await database.run(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchone())
    await database.run(put(3, "x" * 100_000))
    assert await database.run(numbers) == [1, 3]


async def test_a_file_that_may_not_grow(database, tmp_path):
    """As a quota would have it: the write itself fails."""
    await database.run(put(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(path.stat().st_size for path in tmp_path.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(StoreError):
            await database.run(put(2, "x" * 1_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await database.run(put(3))
    assert await database.run(numbers) == [1, 3]


async def test_a_canceled_call_is_done_all_the_same(database):
    call = database.run(put(1))
    call.cancel()
    assert await database.run(numbers) == [1]


async def test_close_does_what_waits_and_may_be_called_again(tmp_path):
    database = Database(tmp_path / "state.db")
    database.schema("things", SCHEMA)
    calls = [database.run(put(number)) for number in range(10)]
    await database.close()
    assert [call.result() for call in calls] == list(range(10))
    await database.close()
    again = Database(tmp_path / "state.db")
    assert await again.run(numbers) == list(range(10))
    await again.close()


async def test_memory():
    database = Database(None)
    database.schema("things", SCHEMA)
    await database.run(put(1))
    assert await database.run(numbers) == [1]
    await database.close()


# ------------------------------------------------------------------ files


async def test_the_folder_is_made_and_the_file_is_private(tmp_path):
    path = tmp_path / "a" / "b" / "state.db"
    database = Database(path)
    await database.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_one_server_at_a_time(database):
    with pytest.raises(ConfigError, match="in use by another server") as caught:
        Database(database.path)
    assert caught.value.code == "STORE_LOCKED"
    await database.close()
    again = Database(database.path)
    await again.close()


async def test_one_server_at_a_time_by_whatever_name(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    soft, hard = tmp_path / "elsewhere" / "soft.db", tmp_path / "hard.db"
    soft.symlink_to(database.path)
    hard.hardlink_to(database.path)
    for name in (soft, hard, Path("state.db"), Path("elsewhere/../state.db")):
        with pytest.raises(ConfigError, match="in use by another server") as caught:
            Database(name)
        assert caught.value.code == "STORE_LOCKED"
        assert "STORE_LOCKED" in await asyncio.to_thread(elsewhere, name)
    await database.run(put(1))  # what was tried let go of nothing
    await database.close()
    by_name = Database(soft)
    assert await by_name.run(numbers) == [1]
    assert not soft.with_name("soft.db-wal").exists()
    await by_name.close()


async def test_a_version_that_locked_beside_it_is_another_server(tmp_path):
    with (tmp_path / "state.db-lock").open("w") as beside:
        fcntl.flock(beside, fcntl.LOCK_EX)
        with pytest.raises(ConfigError) as caught:
            Database(tmp_path / "state.db")
    assert caught.value.code == "STORE_LOCKED"
    await Database(tmp_path / "state.db").close()


def test_another_process_is_refused_too(tmp_path):
    async def hold() -> str:
        database = Database(tmp_path / "state.db")
        found = await asyncio.to_thread(elsewhere, database.path)
        await database.close()
        return found

    assert "in use by another server" in asyncio.run(hold())


def elsewhere(path: Path) -> str:
    """What another process says that opens it."""
    command = [sys.executable, "-c", PROGRAM, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


async def test_a_file_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="another program's"):
        Database(path)
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "text"
    path.write_text("hello, " * 1000)
    with pytest.raises(ConfigError, match="cannot be opened"):
        Database(path)


async def test_a_place_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be opened"):
        Database(tmp_path / "file" / "state.db")


# ------------------------------------------------------------------ schemas


async def test_steps_are_done_once_and_new_ones_later(database):
    await database.run(put(1))
    database.schema("things", SCHEMA)
    database.schema("things", [*SCHEMA, "ALTER TABLE thing ADD COLUMN more"])
    rows = await database.run(lambda c: c.execute("SELECT * FROM thing").fetchall())
    assert rows == [(1, "", None)]


async def test_a_newer_file_is_refused(database):
    database.schema("things", [*SCHEMA, "CREATE TABLE other (x)"])
    with pytest.raises(ConfigError, match=r"things are of version 2; allowed: 1"):
        database.schema("things", SCHEMA)


async def test_a_step_that_fails_leaves_nothing(database):
    with pytest.raises(ConfigError, match="things"):
        database.schema("things", [*SCHEMA, "CREATE TABLE half (x); CREATE TABLE thing (x)"])
    tables = await database.run(lambda c: c.execute("SELECT name FROM sqlite_master").fetchall())
    assert ("half",) not in tables
