"""The writer, round by round, with a disk that is full when the test says so."""

import logging
import sqlite3

import pytest

from fastrouter.journal.ids import BLOCK, Ids
from fastrouter.journal.presence import Presence
from fastrouter.journal.spool import Spool
from fastrouter.journal.store import Reader, Store
from fastrouter.journal.writer import FIRST_RETRY, LAST_RETRY, Limits, Writer

from .events import entries, ids
from .events import take as take_events


class FullStore(Store):
    """A store whose disk is full while `full`."""

    full = False

    def add(self, found, kept_at):
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        super().add(found, kept_at)


@pytest.fixture
def store(tmp_path):
    store = FullStore(tmp_path / "journal.db")
    yield store
    store.close()


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool", 4096)
    yield spool
    spool.close()


@pytest.fixture
def writer(spool, store):
    return Writer(spool, store, Ids(store, spool), Limits(1e9, 1 << 40), Presence(()))


@pytest.fixture
def kept(store):
    reader = Reader(store.path)
    yield lambda: ids(reader.page(0, 1 << 20))
    reader.close()


def take(writer, *numbers):
    take_events(writer, *entries(*numbers))


def test_an_entry_is_in_the_spool_first_and_then_in_the_store(writer, spool, kept):
    take(writer, 1, 2)
    assert len(spool.entries()) == 2
    assert kept() == []
    writer.attempt()
    assert spool.entries() == []
    assert kept() == [1, 2]
    assert (writer.stored_to, writer.backlog, writer.first) == (2, 0, 1)


def test_a_full_disk_is_logged_once_and_nothing_is_lost(writer, store, kept, caplog):
    store.full = True
    waits = []
    for number in range(1, 9):
        take(writer, number)
        writer.attempt()
        waits.append(writer._retry)
    assert (waits[0], waits[1], waits[-1]) == (FIRST_RETRY, 2 * FIRST_RETRY, LAST_RETRY)
    assert (writer.errors, writer.lost, kept()) == (8, 0, [])
    store.full = False
    writer.attempt()
    assert kept() == list(range(1, 9))
    assert writer._retry == 0
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "disk is full" in caplog.text


def test_what_finds_no_room_is_lost_and_said(writer, spool, store, kept, caplog):
    store.full = True
    number = 0
    while not writer.lost:
        number += 1
        take(writer, number)
    writer.lose(number + 1, True)
    assert (writer.lost, writer.missing_to) == (2, number + 1)
    assert caplog.text.count("no room") == 1
    assert f"evt_{number} on" in caplog.text
    store.full = False
    writer.attempt()
    take(writer, number + 2)
    writer.attempt()
    assert kept() == [*range(1, number), number + 2]
    assert spool.lost_to == writer.missing_to == number + 1


def test_a_publisher_waits_for_a_store_that_works(writer, store, kept, monkeypatch):
    take(writer, 1)
    monkeypatch.setattr(writer._moved, "wait", lambda seconds: writer.attempt() or True)
    assert writer.make_room()
    assert (kept(), writer.backlog) == ([1], 0)
    store.full = True
    take(writer, 2)
    writer.attempt()
    assert not writer.make_room()


def test_a_publisher_should_wait_while_the_spool_is_half_full(writer, store):
    assert not writer.behind
    number = 0
    while not writer.behind:
        number += 1
        take(writer, number)
    assert 2048 < writer.backlog < 2200
    store.full = True
    writer.attempt()
    assert not writer.behind


def test_ids_are_reserved_ahead(writer, store):
    assert store.meta.reserved == BLOCK
    writer._ids.last_id = lambda: BLOCK // 2 - 1
    writer.attempt()
    assert store.meta.reserved == BLOCK
    writer._ids.last_id = lambda: BLOCK // 2 + 1
    writer.attempt()
    assert store.meta.reserved == 2 * BLOCK


def test_old_events_are_pruned(spool, store, kept):
    writer = Writer(spool, store, Ids(store, spool), Limits(-1.0, 1 << 40), Presence(()))
    take(writer, 1, 2)
    writer.attempt()
    assert kept() == []
    assert writer.missing_to == 2


def test_the_thread_stores_what_waits_before_it_ends(writer, kept):
    take(writer, 1)
    writer.start()
    take(writer, 2, 3)
    assert writer.close()
    assert kept() == [1, 2, 3]


def test_it_says_when_it_could_not(writer, store, spool):
    store.full = True
    take(writer, 1)
    writer.start()
    assert not writer.close()
    assert len(spool.entries()) == 1


def test_files_that_are_gone_are_said_once_and_written_all_the_same(spool, store, kept, caplog):
    presence = Presence((store.path,))
    writer = Writer(spool, store, Ids(store, spool), Limits(1e9, 1 << 40), presence)
    writer.attempt()
    assert (writer.errors, writer.removed) == (0, [])
    kept()
    store.path.unlink()
    for number in (1, 2):
        writer._next_prune = 0.0
        take(writer, number)
        writer.attempt()
    assert (writer.errors, writer.removed, writer._retry) == (1, [store.path], 0.0)
    assert caplog.text.count("removed or replaced while in use") == 1
    assert kept() == [1, 2]
