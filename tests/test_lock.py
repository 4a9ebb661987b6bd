"""The lock on a database, in this process and between two."""

import fcntl
import os
import sqlite3
import subprocess
import sys

import pytest

from fastrouter.errors import ConfigError
from fastrouter.lock import Lock

CHILD = """
import sys
from pathlib import Path
from fastrouter.errors import ConfigError
from fastrouter.lock import Lock
try:
    Lock(Path(sys.argv[1]))
except ConfigError as error:
    print(error.code)
"""

SQLITE = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0).execute("BEGIN EXCLUSIVE")
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def code_elsewhere(path):
    """What another process is told."""
    command = [sys.executable, "-c", CHILD, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_file_is_made_for_its_owner_alone(path):
    lock = Lock(path)
    assert lock.new
    assert path.stat().st_mode & 0o777 == 0o600
    lock.close()


def test_an_older_file_stays_as_it_is(path):
    path.write_text("once upon a time")
    path.chmod(0o640)
    lock = Lock(path)
    assert not lock.new
    assert path.stat().st_mode & 0o777 == 0o640
    lock.close()


def test_one_at_a_time_by_whatever_name(path, tmp_path):
    lock = Lock(path)
    other = tmp_path / "other.db"
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(ConfigError, match="another server"):
            Lock(name)
        assert code_elsewhere(name) == "JOURNAL_LOCKED"
    lock.close()
    lock.close()
    assert code_elsewhere(other) == ""
    Lock(other).close()


def test_who_closes_twice_takes_nothing_from_who_has_it_next(path):
    lock = Lock(path)
    lock.close()
    later = Lock(path)
    lock.close()
    with pytest.raises(ConfigError, match="another server"):
        Lock(path)
    assert code_elsewhere(path) == "JOURNAL_LOCKED"
    later.close()


def test_the_locks_of_sqlite_are_others(path):
    """Neither keeps the other from working, nor does a try that fails let go of one."""
    lock = Lock(path)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("CREATE TABLE one (id)")
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ConfigError):
        Lock(path)
    assert code_elsewhere(path) == "JOURNAL_LOCKED"
    probe = [sys.executable, "-c", SQLITE, str(path)]
    run = subprocess.run(probe, capture_output=True, text=True, check=False)
    assert "database is locked" in run.stderr
    database.close()
    lock.close()


def test_what_cannot_be_opened_or_locked(path, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="cannot be opened: Is a directory"):
        Lock(tmp_path)
    with pytest.raises(ConfigError, match="cannot be opened: File name too long"):
        Lock(tmp_path / ("long" * 100))

    def refused(*args):
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(ConfigError, match="cannot be locked"):
        Lock(path)


def test_errors_say_what_it_is(path):
    lock = Lock(path, "store")
    with pytest.raises(ConfigError, match=r"^store .* is in use") as caught:
        Lock(path, "store")
    assert caught.value.code == "STORE_LOCKED"
    lock.close()
