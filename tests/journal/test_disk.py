"""The files of a journal, opened again after every kind of end."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from fastrouter.errors import ConfigError
from fastrouter.journal import disk as module
from fastrouter.journal import ids as ids_module
from fastrouter.journal.disk import Disk
from fastrouter.journal.ids import BLOCK
from fastrouter.journal.spool import Spool

from .events import entries, entry, ids, packed, take

SPOOL = 1 << 16


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def spool_path(tmp_path):
    return tmp_path / "journal.db-spool"


def opened(path):
    return Disk(path, 1e9, 1 << 40, SPOOL)


def kept(disk):
    return ids(disk.reader.page(0, 1 << 20))


def copied(path, spool_path, to):
    """The files as they are now, as a kill would leave them."""
    to.mkdir()
    for file in (path, spool_path, path.with_name(path.name + "-wal")):
        shutil.copy(file, to)
    return to / path.name


def test_a_clean_end_and_the_next_run(path):
    disk = opened(path)
    assert disk.start == 0
    take(disk.writer, *entries(3, 4))
    disk.ids.last_id = lambda: 9
    disk.close()
    disk.close()
    disk = opened(path)
    assert (disk.start, kept(disk), disk.writer.missing_to) == (9, [3, 4], 0)
    disk.close()


def test_what_only_the_spool_held_is_recovered(path, spool_path, tmp_path):
    disk = opened(path)
    disk.close()
    spool = Spool(spool_path)
    for one in entries(*range(1, 11)):
        spool.append(packed(one))
    spool.close()
    disk = opened(path)
    assert kept(disk) == list(range(1, 11))
    assert disk.reader.page(0, 1 << 20) == entries(*range(1, 11))
    disk.close()


def test_a_kill_between_store_and_spool_repeats_nothing(path, spool_path, tmp_path):
    """What is in both is stored once."""
    disk = opened(path)
    take(disk.writer, *entries(1, 2, 3))
    disk.close()
    spool = Spool(spool_path)
    for one in entries(2, 3, 4):
        spool.append(packed(one))
    spool.close()
    disk = opened(path)
    assert kept(disk) == [1, 2, 3, 4]
    disk.close()


def test_files_as_a_kill_leaves_them(path, spool_path, tmp_path):
    disk = opened(path)
    take(disk.writer, *entries(*range(1, 101)))
    after_kill = copied(path, spool_path, tmp_path / "after")
    disk.close()
    disk = opened(after_kill)
    assert disk.start == BLOCK
    assert kept(disk) == list(range(1, 101))
    assert disk.writer.missing_to == 0
    disk.close()


def test_what_was_lost_is_remembered(path):
    disk = opened(path)
    take(disk.writer, entry(5, 2 * SPOOL))
    disk.ids.last_id = lambda: 5
    disk.close()
    disk = opened(path)
    assert (disk.start, disk.writer.missing_to) == (5, 5)
    disk.close()


def test_what_a_full_disk_did_not_take_is_there_in_the_next_run(path, monkeypatch, caplog):
    def full(*args):
        raise sqlite3.OperationalError("database or disk is full")

    disk = opened(path)
    with monkeypatch.context() as patch:
        patch.setattr(disk._store, "add", full)
        take(disk.writer, *entries(1, 2))
        disk.close()
    assert "bytes stay in" in caplog.text
    disk = opened(path)
    assert (kept(disk), disk.start, disk.writer.missing_to) == ([1, 2], BLOCK, 0)
    disk.close()


def test_two_at_once_are_refused(path):
    disk = opened(path)
    with pytest.raises(ConfigError, match="another server") as caught:
        opened(path)
    assert caught.value.code == "JOURNAL_LOCKED"
    disk.close()
    opened(path).close()


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_by_another_name_it_is_the_same_journal(path, tmp_path, link):
    disk = opened(path)
    other = tmp_path / "other.db"
    link(other, path)
    with pytest.raises(ConfigError, match="another server") as caught:
        opened(other)
    assert caught.value.code == "JOURNAL_LOCKED"
    take(disk.writer, *entries(1, 2))
    disk.close()
    assert not (tmp_path / "other.db-spool").exists()


def test_by_a_symlink_it_has_the_same_spool(path, tmp_path):
    other = tmp_path / "other.db"
    other.symlink_to(path)
    opened(other).close()
    opened(path).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "journal.db", "journal.db-spool", "other.db"]  # fmt: skip


def test_all_files_are_their_owners_alone(path, tmp_path):
    old = os.umask(0o022)
    try:
        disk = opened(path)
        take(disk.writer, entry(1))
    finally:
        os.umask(old)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    disk.close()
    assert modes == {f"journal.db{end}": 0o600 for end in ("", "-wal", "-shm", "-spool")}


def test_a_spool_of_another_journal_is_left_alone(path, spool_path, tmp_path):
    opened(path).close()
    opened(tmp_path / "other.db").close()
    content = (tmp_path / "other.db-spool").read_bytes()
    spool_path.write_bytes(content)
    with pytest.raises(ConfigError, match="belongs to another journal"):
        opened(path)
    assert spool_path.read_bytes() == content


def test_a_new_file_beside_an_old_spool_is_refused(path):
    opened(path).close()
    path.unlink()
    with pytest.raises(ConfigError, match="belongs to another journal"):
        opened(path)


def test_a_spool_that_was_removed_after_a_clean_end_is_no_matter(path, spool_path):
    opened(path).close()
    spool_path.unlink()
    disk = opened(path)
    assert disk.writer.missing_to == 0
    disk.close()


def test_a_spool_that_was_removed_after_a_kill_is_a_gap(path, spool_path, tmp_path):
    disk = opened(path)
    after_kill = copied(path, spool_path, tmp_path / "after")
    disk.close()
    (tmp_path / "after" / spool_path.name).unlink()
    disk = opened(after_kill)
    assert disk.writer.missing_to == BLOCK
    disk.close()


def test_a_machine_that_went_down_is_a_gap(path, spool_path, tmp_path, monkeypatch):
    disk = opened(path)
    after_kill = copied(path, spool_path, tmp_path / "after")
    disk.close()
    monkeypatch.setattr(ids_module, "boot_id", lambda: "another")
    disk = opened(after_kill)
    assert disk.writer.missing_to == disk.start == BLOCK
    disk.close()


def test_files_that_cannot_be_used_let_go_of_the_lock(path, spool_path):
    path.write_text("once upon a time " * 100)
    for _ in range(2):
        with pytest.raises(ConfigError, match="not a database"):
            opened(path)
    assert not spool_path.exists()
    path.unlink()
    opened(path).close()


def test_a_folder_is_no_journal(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="cannot be opened"):
        opened(tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_start_that_fails_leaves_nothing_behind(path, tmp_path, monkeypatch):
    def full(*args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(module, "Ids", full)
    with pytest.raises(ConfigError, match="disk is full"):
        opened(path)
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_leaves_what_was_there(path, spool_path, tmp_path, monkeypatch):
    opened(path).close()
    spool_path.write_bytes(b"no spool at all")
    with pytest.raises(ConfigError, match="no spool"):
        opened(path)
    assert path.stat().st_size
    assert spool_path.read_bytes() == b"no spool at all"


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-spool"])
def test_a_file_that_was_removed_meanwhile_is_said_at_the_close(path, caplog, end):
    disk = opened(path)
    take(disk.writer, entry(1))
    path.with_name(path.name + end).unlink()
    disk.close()
    assert disk.writer.errors == 1
    assert f"{path}{end}; sessions" in caplog.text
    assert "not closed as it should be" in caplog.text
    path.with_name(path.name + "-spool").unlink(missing_ok=True)
    disk = opened(path)
    assert kept(disk) == ([1] if end else [])
    if end:  # all is there, but nobody can know
        assert disk.writer.missing_to == BLOCK
    disk.close()


def test_the_files_of_a_successor_are_left_alone(path, tmp_path):
    first = opened(path)
    take(first.writer, *entries(1, 2))
    for file in list(tmp_path.iterdir()):
        file.unlink()
    second = opened(path)
    take(second.writer, *entries(3, 4))
    there = {file: file.stat().st_ino for file in tmp_path.iterdir()}
    first.close()
    assert {file: file.stat().st_ino for file in tmp_path.iterdir()} == there
    second.close()
    third = opened(path)
    assert kept(third) == [3, 4]
    third.close()
