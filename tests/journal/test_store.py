"""The SQLite file: what is kept, what goes, and files that are not ours."""

import sqlite3

import pytest

from fastrouter.errors import ConfigError
from fastrouter.journal import store as module
from fastrouter.journal.store import PAGE_ROWS, Reader, Store

from .events import entries, entry, ids

EVER = {"oldest": 0.0, "max_bytes": 1 << 40}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


@pytest.fixture
def reader(store, path):
    reader = Reader(path)
    yield reader
    reader.close()


def test_entries_come_back_as_they_were(store, reader):
    made = [
        entry(3),
        entry(4)._replace(
            body='{"a":[1.0,1e-7,18446744073709551615,"é\\u0000\\"",null,true,-0.0]}'.encode()
        ),
        entry(9, event_type="candle@1m")._replace(symbol="é", body=b"[1.5,2,3,4,5,60]"),
        entry((1 << 63) - 1)._replace(time=-(1 << 63)),
    ]
    store.add(made, 5.0)
    assert reader.page(0, 1 << 20) == made
    assert (store.first, store.last) == (3, (1 << 63) - 1)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 600, 1200])
def test_batches_of_every_size_are_kept_whole(store, reader, count):
    store.add(entries(*range(1, count + 1)), 0.0)
    found = reader.page(0, 1 << 20)
    assert ids(found) == list(range(1, min(count, PAGE_ROWS) + 1))


def test_what_is_there_already_stays_as_it_is(store, reader):
    store.add(entries(1, 2), 0.0)
    store.add([entry(2, 40), entry(3)], 0.0)
    assert reader.page(0, 1 << 20) == entries(1, 2, 3)


def test_a_page_ends_with_the_event_that_fills_it(store, reader):
    store.add(entries(*range(1, 101), size=100), 0.0)
    assert ids(reader.page(0, 250)) == [1, 2, 3]
    assert ids(reader.page(3, 1)) == [4]
    assert ids(reader.page(98, 1000)) == [99, 100]
    assert reader.page(100, 1000) == []


def test_a_failure_keeps_nothing(store, reader):
    with pytest.raises(sqlite3.Error):
        store.add([*entries(*range(1, 10)), entry(10)._replace(body=object())], 0.0)
    assert reader.page(0, 1000) == []
    store.add(entries(1), 0.0)
    assert ids(reader.page(0, 1000)) == [1]


# ------------------------------------------------------------------- bounds


def test_old_ones_go(store, reader):
    store.add(entries(1, 5), 10.0)
    store.add(entries(9), 20.0)
    assert not store.prune(**EVER)
    assert store.meta.complete_after == 0
    assert not store.prune(oldest=20.0, max_bytes=1 << 40)
    assert ids(reader.page(0, 1000)) == [9]
    assert (store.first, store.last, store.meta.complete_after) == (9, 9, 5)


def test_all_may_be_old(store, reader):
    store.add(entries(1, 5), 10.0)
    store.prune(oldest=20.0, max_bytes=1 << 40)
    assert reader.page(0, 1000) == []
    assert (store.first, store.meta.complete_after) == (0, 5)
    store.add(entries(7), 30.0)
    assert store.first == 7


def test_the_oldest_go_when_there_are_too_many(store, reader, monkeypatch):
    monkeypatch.setattr(module, "PRUNE_ROWS", 10)
    store.add(entries(*range(1, 201), size=1000), 0.0)
    rounds = 0
    while store.prune(oldest=0.0, max_bytes=100_000):
        rounds += 1
        assert rounds < 100
    assert store.bytes <= 100_000
    left = ids(reader.page(0, 1 << 20))
    assert 50 < len(left) < 100
    assert left == list(range(store.first, 201))
    assert store.meta.complete_after == store.first - 1


def test_one_call_deletes_a_bounded_number(store, monkeypatch):
    monkeypatch.setattr(module, "PRUNE_ROWS", 10)
    store.add(entries(*range(1, 26)), 0.0)
    assert [store.prune(oldest=1.0, max_bytes=1 << 40) for _ in range(3)] == [True, True, False]


# --------------------------------------------------------------------- meta


def test_meta_is_there_in_the_next_run(store, path):
    owner = store.meta.owner
    assert len(owner) == 16
    store.update(reserved=7, clean=0, durable=True)
    store.add(entries(3, 4), 0.0)
    store.close()
    again = Store(path)
    assert again.meta == module.Meta(owner, 7, 0, "", 0)
    assert (again.first, again.last) == (3, 4)
    again.close()


def test_meta_that_could_not_be_written_is_as_it_was(store):
    store.close()
    with pytest.raises(sqlite3.Error):
        store.update(reserved=7)
    assert store.meta.reserved == 0


# --------------------------------------------------------- files that are not ours


def refused(path, match):
    content = path.read_bytes()
    with pytest.raises(ConfigError, match=match):
        Store(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE event (id)")
    other.close()
    refused(path, "another program")


def test_another_version_is_left_alone(store, path):
    store._db.execute("PRAGMA user_version = 2")
    store.close()
    refused(path, "version 2")


def test_what_is_no_database_is_left_alone(path):
    path.write_text("once upon a time " * 100)
    refused(path, "not a database")


def test_a_journal_that_is_damaged(store, path):
    store.add(entries(*range(1, 100)), 0.0)
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(ConfigError, match="cannot be used"):
        Store(path)


def test_meta_of_a_kind_we_do_not_know(store, path):
    store._db.execute("INSERT INTO meta VALUES ('shape', 'round')")
    store.close()
    with pytest.raises(ConfigError, match="cannot be used"):
        Store(path)


def test_a_place_that_cannot_be_opened(tmp_path):
    with pytest.raises(ConfigError, match="unable to open"):
        Store(tmp_path / "nowhere" / "journal.db")
