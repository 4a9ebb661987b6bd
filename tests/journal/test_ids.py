"""Which ids a run may use."""

import pytest

from fastrouter.journal import ids as module
from fastrouter.journal.ids import BLOCK, Ids, boot_id
from fastrouter.journal.store import Store


@pytest.fixture
def run(tmp_path):
    """Open the file, use some ids, and end well or not."""

    def once(used=0, *, clean=True):
        store = Store(tmp_path / "journal.db")
        ids = Ids(store)
        ids.last_id = lambda: ids.start + used
        assert store.meta.clean == 0
        assert store.meta.reserved == ids.start + BLOCK
        if clean:
            ids.give_back(store)
        store.close()
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
