"""Which ids a run may use."""

import contextlib
import sqlite3

import pytest

from fastrouter.journal import ids as module
from fastrouter.journal.ids import BLOCK, Ids, boot_id
from fastrouter.journal.spool import Spool
from fastrouter.journal.store import Store


@pytest.fixture
def run(tmp_path):
    """Open the file, use some ids, and end well or not."""

    def once(used=0, *, clean=True):
        store, spool = Store(tmp_path / "journal.db"), Spool(tmp_path / "spool", 4096)
        ids = Ids(store, spool)
        ids.last_id = lambda: ids.start + used
        assert store.meta.clean == 0
        assert store.meta.reserved == ids.start + BLOCK
        if clean:
            ids.give_back()
        store.close()
        spool.close()
        return ids.start, store.meta.complete_after

    return once


def test_a_clean_close_gives_ids_back(run):
    assert [run(10), run(0), run(5), run()] == [(0, 0), (10, 0), (10, 0), (15, 0)]


def test_a_run_that_was_killed_has_used_all_of_its_block(run):
    assert run(10, clean=False) == (0, 0)
    assert run(3) == (BLOCK, 0)
    assert run() == (BLOCK + 3, 0)


def test_after_the_machine_went_down_nothing_is_known_to_be_whole(run, monkeypatch):
    run(10, clean=False)
    monkeypatch.setattr(module, "boot_id", lambda: "another")
    assert run(3) == (BLOCK, BLOCK)
    assert run(3) == (BLOCK + 3, BLOCK)


def test_a_machine_that_went_down_after_a_clean_close_is_no_matter(run, monkeypatch):
    run(10)
    monkeypatch.setattr(module, "boot_id", lambda: "another")
    assert run() == (10, 0)


def test_boot_id(tmp_path, monkeypatch):
    assert boot_id() == boot_id()
    monkeypatch.setattr(module, "BOOT_ID", tmp_path / "none")
    assert boot_id() == ""


class FullStore(Store):
    """Its disk is full once it is open."""

    full = False

    def update(self, **changes):
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        super().update(**changes)


@pytest.mark.parametrize("spool_is_there", [True, False])
def test_a_full_disk_and_a_kill_do_not_make_ids_repeat(tmp_path, spool_is_there):
    store, spool = FullStore(tmp_path / "journal.db"), Spool(tmp_path / "spool", 4096)
    ids = Ids(store, spool)
    store.full = True
    used = 0
    for _ in range(10):
        used += BLOCK // 4
        ids.last_id = lambda used=used: used
        with contextlib.suppress(sqlite3.Error):
            ids.extend()
        assert spool.reserved >= used + BLOCK // 4
    assert store.meta.reserved == BLOCK
    store.full = False
    if not spool_is_there:  # then the store must know, as soon as it can
        ids.extend()
        assert store.meta.reserved == spool.reserved
        spool.reserved = 0
    store.close()
    spool.close()
    store, spool = Store(tmp_path / "journal.db"), Spool(tmp_path / "spool", 4096)
    assert Ids(store, spool).start >= used
    store.close()
    spool.close()


def test_ids_that_could_not_be_given_back_are_skipped(tmp_path):
    store, spool = FullStore(tmp_path / "journal.db"), Spool(tmp_path / "spool", 4096)
    ids = Ids(store, spool)
    store.full = True
    with pytest.raises(sqlite3.Error):
        ids.give_back()
    assert spool.reserved == BLOCK
    store.close()
    spool.close()
