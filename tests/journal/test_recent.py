"""The newest events beside the store: what a run leaves to the next, whatever ended it."""

from __future__ import annotations

import asyncio
import errno
import os
import random

import pytest

from fastrouter.embed import Router
from fastrouter.errors import ConfigError
from fastrouter.journal import recent as module
from fastrouter.journal.journal import Journal
from fastrouter.journal.keeper import Keeper
from fastrouter.journal.recent import Recent

from .events import Outbox, ids, record

STORE = b"0123456789abcdef"
PAGE = 4096
SIZE = 64 * PAGE


class Run:
    """A keeper that is killed: nothing but its spool is left."""

    def __init__(self, path, start=0, capacity=SIZE):
        self.recent = Recent(path, start, capacity)
        self.tail = self.recent.tail(1 << 20)
        self.keeper = Keeper(self.tail, self.recent.spool, self.recent)

    def keep(self, *numbers, size=20):
        for number in numbers:
            self.keeper.record(record(number, {"x": "x" * size}))

    def found(self):
        return ids(self.tail.page(self.tail.after, 1 << 30))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.recent.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db-spool"


def signal(number: int) -> tuple[str, dict[str, str]]:
    return "signal", {"id": str(number), "symbol": "S:A", "action": "BUY"}


def test_the_next_run_has_what_was_kept(path):
    with Run(path, 100) as run:
        assert (run.found(), run.tail.after) == ([], 100)
        run.keep(101, 105)
    with Run(path, 200) as run:
        assert (run.found(), run.tail.after, run.tail.last) == ([101, 105], 100, 105)
        run.keep(201)
    with Run(path, 300) as run:
        assert (run.found(), run.tail.after) == ([101, 105, 201], 100)


def test_when_it_is_full_the_oldest_go(path):
    """Against what a reader may expect: all after `after`, and most of what there is room for."""
    rng = random.Random(3)
    number = 0
    kept = {}  # id -> bytes of its body
    for _ in range(20):
        with Run(path) as run:
            found, after = run.found(), run.tail.after
            assert found == [one for one in kept if one > after]
            assert sum(kept[one] for one in found) >= min(sum(kept.values()), SIZE // 2)
            for _ in range(rng.randrange(400)):
                number += rng.randrange(1, 4)
                kept[number] = rng.randrange(2000)
                run.keep(number, size=kept[number])
    assert after


def test_what_is_larger_than_what_goes_at_once_makes_a_gap(path):
    with Run(path, capacity=PAGE) as run:
        run.keep(1)
        run.keep(2, size=2 * PAGE)
        run.keep(3)
        assert run.found() == [1, 2, 3]
    with Run(path) as run:
        assert (run.found(), run.tail.after) == ([3], 2)


def test_after_another_boot_it_begins_anew(path, monkeypatch):
    with Run(path, 10) as run:
        run.keep(11)
        run.recent.spool.store = STORE
        run.recent.spool.done = 7
        run.recent.spool.intent = 10 * 2 + 8 % 2
    monkeypatch.setattr(module, "boot_id", lambda: "another")
    with Run(path, 20) as run:
        assert (run.found(), run.tail.after) == ([], 20)
        assert (run.recent.spool.done, run.recent.spool.intent % 2) == (7, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"another program's",
        b"FRSPOOL1" + bytes(SIZE + PAGE - 8),
        b"FRSPOOL2" + SIZE.to_bytes(8, "little") + b"\1" * 100,
        b"FRSPOOL2",
    ],
)
def test_a_damaged_one_is_begun_anew(path, content, caplog):
    path.write_bytes(content)
    with Run(path, 10) as run:
        assert (run.found(), run.tail.after) == ([], 10)
        run.keep(11)
    (warning,) = caplog.messages
    assert str(path) in warning
    assert "begun anew" in warning
    with Run(path, 20) as run:
        assert run.found() == [11]


@pytest.mark.parametrize("field", ["lost_to", "done", "intent"])
def test_one_whose_numbers_cannot_be_is_begun_anew(path, field, caplog):
    with Run(path) as run:
        run.keep(1)
        setattr(run.recent.spool, field, (1 << 64) - 1)
    with Run(path, 10) as run:
        assert (run.found(), run.tail.after) == ([], 10)
        assert run.recent.spool.done == 0
    (warning,) = caplog.messages
    assert warning == f"{path} is damaged: begun anew"


@pytest.mark.parametrize("content", [b"", bytes(100), bytes(SIZE + PAGE)])
def test_one_that_was_never_finished_is_made(path, content, caplog):
    path.write_bytes(content)
    with Run(path) as run:
        run.keep(1)
    assert not caplog.messages
    with Run(path) as run:
        assert run.found() == [1]


def test_a_torn_entry_ends_what_there_is(path):
    with Run(path) as run:
        run.keep(1, 2)
        last = run.recent.spool.head
    with path.open("r+b") as file:
        file.seek(PAGE + last - 1)
        file.write(b"\1")
        file.seek(PAGE + last - 16)
        file.write(b"\1")
    with Run(path) as run:
        assert run.found() == [1]
        run.keep(3)
    with Run(path) as run:
        assert run.found() == [1, 3]


def test_it_is_one_servers(path):
    with Run(path), pytest.raises(ConfigError) as caught:
        Recent(path, 0)
    assert caught.value.code == "JOURNAL_LOCKED"
    assert path.exists()


def test_where_no_file_can_be_the_error_says_so(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "missing" / "state.db-spool"):
        with pytest.raises(ConfigError, match="cannot be opened"):
            Recent(path, 0)


def test_a_damaged_one_that_cannot_be_removed_is_told(path, monkeypatch):
    path.write_bytes(b"another program's")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(ConfigError, match="cannot be removed: Permission denied"):
        Recent(path, 0)


def test_a_full_disk_is_told_at_the_start(path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match="No space left"):
        Recent(path, 0)


def test_all_of_its_room_is_taken_at_the_start(path):
    Recent(path, 0, SIZE).close()
    status = path.stat()
    assert status.st_blocks * 512 >= status.st_size == SIZE + PAGE


# -------------------------------------------------------------------- as a journal


def test_ids_go_on_behind_those_of_the_run_before(path):
    lasts = []
    for _ in range(3):
        with Journal(recent=path) as journal:
            router = Router(journal=journal)
            assert journal.resumes
            assert [router.last_id > last for last in lasts] == [True] * len(lasts)
            assert journal.missing_after(router.last_id) == 0
            router.publish(*signal(1))
            lasts.append(router.last_id)
    with Journal(recent=path) as journal:
        assert [journal.has(last) for last in lasts] == [True] * 3
        assert not journal.has(lasts[-1] + 1)
        assert journal.missing_after(lasts[0] - 1) == 0
        assert journal.missing_after(1)


def test_where_the_clock_was_set_back_ids_go_on_behind_what_is_kept(path, monkeypatch):
    with Journal(recent=path) as journal:
        router = Router(journal=journal)
        router.publish(*signal(1))
        last = router.last_id
    monkeypatch.setattr("time.time", lambda: 1_740_000_000.0)
    with Journal(recent=path) as journal:
        assert Router(journal=journal).last_id == last


async def test_a_session_resumes_over_a_restart(path):
    with Journal(recent=path) as journal:
        router = Router(journal=journal)
        seen = router.publish(*signal(1))
        missed = [router.publish(*signal(number)) for number in (2, 3)]
    with Journal(recent=path) as journal:
        router = Router(journal=journal)
        outbox = Outbox()
        gaps = []
        journal.replay(outbox, seen, gaps.append, lambda: gaps.append("failed"))
        await asyncio.wait_for(outbox.live.wait(), 30)
        assert (outbox.got, gaps) == (missed, [])


def test_it_knows_what_was_announced(path):
    with Journal(recent=path) as journal:
        router = Router(journal=journal)
        delivery = journal.delivery(STORE)
        for number in (1, 2):
            delivery.begin(number, router.last_id)
            router.publish(*signal(number))
            if number == 1:
                delivery.end(number)
    with Journal(recent=path) as journal:
        delivery = journal.delivery(STORE)
        assert delivery.done == 2
        delivery.begin(3, journal.last_id)
    with Journal(recent=path) as journal:
        assert journal.delivery(STORE).done == 2
        assert journal.delivery(bytes(16)).done == 0


def test_an_upstreams_position_is_known(path):
    with Journal(recent=path) as journal:
        journal.bookmark("ws://h").position = 12
    with Journal(recent=path) as journal:
        assert journal.bookmark("ws://h").position == 12
