"""Where the journal keeps what it has, by what is configured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fastrouter import config
from fastrouter.app.store import open_journal, open_store
from fastrouter.control.database import Database
from fastrouter.errors import ConfigError


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Database]:
    opened = open_store(config.Store(path=tmp_path / "state.db"))
    yield opened
    await opened.close()


@pytest.fixture
def beside(tmp_path) -> Path:
    return tmp_path / "state.db-spool"


async def test_without_a_file_the_newest_events_are_beside_the_store(store, beside):
    with open_journal(config.Journal(), store) as journal:
        assert journal.resumes
        assert beside.exists()


async def test_without_a_store_they_are_in_memory(tmp_path):
    store = open_store(config.Store(path="off"))
    with open_journal(config.Journal(), store) as journal:
        assert not journal.resumes
        assert journal.last_id > 0  # behind earlier runs
    await store.close()
    assert not list(tmp_path.iterdir())


async def test_a_run_with_a_file_makes_what_is_beside_the_store_old(store, beside, tmp_path):
    open_journal(config.Journal(), store).close()
    for _ in range(2):
        with open_journal(config.Journal(path=tmp_path / "journal.db"), store) as journal:
            assert journal.resumes
        assert not beside.exists()


async def test_what_cannot_be_says_what_to_set(store, beside):
    beside.mkdir()
    with pytest.raises(ConfigError, match=r"state.db-spool cannot be opened.*--store off"):
        open_journal(config.Journal(), store)
