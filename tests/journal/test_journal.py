"""The journal as a router and its sessions see it; SIGKILL included."""

import asyncio
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest

import fastrouter
from fastrouter.core.dtypes import CANDLE_DTYPE
from fastrouter.errors import ConfigError
from fastrouter.journal import journal as module
from fastrouter.journal.ids import BLOCK
from fastrouter.journal.journal import Journal

from ..payloads import order
from .events import Outbox, Router, record, stored


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def gaps():
    return []


def following(journal, router=None):
    router = router or Router()
    journal.follow(router)
    return router


def publish(journal, router, count, **fields):
    for _ in range(count):
        router.last_id += 1
        journal.record(record(router.last_id, **fields))


async def replayed(journal, since, gaps):
    outbox = Outbox()
    journal.replay(outbox, since, gaps.append, pytest.fail)
    await outbox.live.wait()
    return outbox.got


# ------------------------------------------------------------------- memory


async def test_in_memory_what_follows_is_replayed(gaps):
    journal = Journal()
    router = following(journal)
    start = router.last_id
    publish(journal, router, 1000)
    assert await replayed(journal, start + 990, gaps) == list(range(start + 991, start + 1001))
    assert len(await replayed(journal, start, gaps)) == 1000
    assert await replayed(journal, router.last_id, gaps) == []
    assert gaps == []
    journal.close()


async def test_in_memory_an_older_run_is_a_gap(gaps):
    journal = Journal(fresh=True)
    router = following(journal)
    start = router.last_id
    publish(journal, router, 2)
    assert await replayed(journal, start - 1, gaps) == [start + 1, start + 2]
    assert f"up to evt_{start} may be missing; replaying from evt_{start + 1}" in gaps[0]


async def test_in_memory_what_had_to_go_is_a_gap(gaps):
    journal = Journal(max_bytes=10_000)
    router = following(journal)
    start = router.last_id
    publish(journal, router, 1000)
    got = await replayed(journal, start + 50, gaps)
    assert got == list(range(journal.tail.first, start + 1001))
    assert 50 < len(got) < 150
    assert gaps == [f"events after evt_{start + 50} up to evt_{got[0] - 1} may be missing; "
                    f"replaying from evt_{got[0]}, the oldest that is kept"]  # fmt: skip


async def test_an_id_that_is_still_to_come_is_another_servers(gaps):
    journal = Journal()
    router = following(journal)
    publish(journal, router, 3)
    got = await replayed(journal, router.last_id + 1, gaps)
    assert len(got) == 3
    assert gaps == [f"evt_{router.last_id + 1} is no event of this server; "
                    f"replaying from evt_{got[0]}, the oldest that is kept"]  # fmt: skip


async def test_nothing_at_all_is_kept(gaps):
    journal = Journal()
    following(journal)
    assert await replayed(journal, 1, gaps) == []
    assert "none is kept" in gaps[0]


def test_an_event_costs_what_the_tail_counts_for_it():
    """Its chunks are all there is: nothing of Python's is kept."""
    router = fastrouter.Router()
    rows = np.zeros(10_000, CANDLE_DTYPE)
    rows["symbol"], rows["timeframe"], rows["closed"] = "S:A", "1m", True
    fastrouter.Router().publish("order", order(0))  # imports what is no event's cost
    tracemalloc.start()
    router.publish_batch(rows)
    for number in range(1000):
        router.publish("order", order(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(router.journal.tail) == 11_000
    assert router.journal.tail.size < 2 << 20
    assert held < 50_000
    router.journal.close()


def test_two_runs_in_memory_share_no_ids(monkeypatch):
    first = Journal(fresh=True)
    start = time.time()
    monkeypatch.setattr(time, "time", lambda: start + 0.001)  # a run takes longer to begin
    second = Journal(fresh=True)
    assert 0 < first.tail.last < second.tail.last < 1 << 53  # a double holds them


def test_one_journal_has_one_router():
    journal = Journal()
    following(journal)
    with pytest.raises(ConfigError, match="has a router"):
        following(journal)


# -------------------------------------------------------------------- files


async def test_it_goes_on_where_the_last_run_ended(path, gaps):
    with Journal(path) as journal:
        router = following(journal)
        publish(journal, router, 10)
        router.last_id += 5  # quotes
    with Journal(path) as journal:
        router = following(journal)
        assert router.last_id == 15
        publish(journal, router, 3)
        assert await replayed(journal, 7, gaps) == [8, 9, 10, 16, 17, 18]
        assert await replayed(journal, 15, gaps) == [16, 17, 18]
    assert gaps == []


async def test_what_is_no_longer_in_memory_comes_from_the_store(path, gaps, monkeypatch):
    monkeypatch.setattr(module, "FILE_TAIL_BYTES", 10_000)
    with Journal(path) as journal:
        router = following(journal)
        for _ in range(20):
            publish(journal, router, 100)
            await stored(journal)
        assert journal.tail.after >= 1800
        assert await replayed(journal, 0, gaps) == list(range(1, 2001))
        assert await replayed(journal, 1234, gaps) == list(range(1235, 2001))
    assert gaps == []


async def test_many_at_once_read_each_page_once(path, gaps, monkeypatch):
    monkeypatch.setattr(module, "FILE_TAIL_BYTES", 10_000)
    with Journal(path) as journal:
        following(journal)
        publish(journal, journal._router, 5000)
    with Journal(path) as journal:
        following(journal)
        found = await asyncio.gather(*(replayed(journal, 0, gaps) for _ in range(200)))
        assert all(got == list(range(1, 5001)) for got in found)
        assert journal.pages.reads < 15


async def test_what_was_pruned_is_a_gap(path, gaps):
    with Journal(path) as journal:
        router = following(journal)
        publish(journal, router, 10)
    with Journal(path, max_age=-1.0) as journal:
        while journal.disk.writer.first:  # noqa: ASYNC110 -- a thread tells nobody
            await asyncio.sleep(0)
        assert await replayed(journal, 5, gaps) == []
    assert gaps == ["events after evt_5 up to evt_10 may be missing; "
                    "replaying from now: none is kept"]  # fmt: skip


async def test_a_hole_in_the_middle_says_where_it_ends(path, gaps):
    with Journal(path) as journal:
        router = following(journal)
        publish(journal, router, 10)
        router.last_id = 15
        journal.disk.writer.lose(15, False)
        publish(journal, router, 5)
    kept = [*range(1, 11), *range(16, 21)]
    with Journal(path) as journal:
        following(journal)
        for since in (4, 12, 15, 99):
            assert await replayed(journal, since, gaps) == [
                one for one in kept if one > since or since == 99
            ]
    after = "replaying what is kept, which is complete after evt_15"
    assert gaps == [
        *(f"events after evt_{since} up to evt_15 may be missing; {after}" for since in (4, 12)),
        f"evt_99 is no event of this server; {after}",
    ]


async def test_a_store_that_cannot_be_read_is_a_gap(path, gaps, caplog):
    with Journal(path) as journal:
        publish(journal, following(journal), 10)
    with Journal(path) as journal:
        following(journal)
        journal.disk.reader._db.execute("PRAGMA busy_timeout = 0")
        journal.disk.reader.close()
        assert await replayed(journal, 5, gaps) == []
    assert gaps[0].startswith("events after evt_5 up to evt_10 may be missing")
    assert "cannot read" in caplog.text
    assert journal.read_errors == 1


async def test_closing_ends_what_is_under_way(path, gaps):
    with Journal(path) as journal:
        publish(journal, following(journal), 10)
    journal = Journal(path)
    following(journal)
    outbox = Outbox()
    journal.replay(outbox, 0, gaps.append, pytest.fail)
    await asyncio.sleep(0)
    journal.close()
    journal.close()
    await asyncio.sleep(0)
    assert outbox.got == []


# ------------------------------------------------------------------ SIGKILL

CHILD = """
import sys
from fastrouter.core.record import Record
from fastrouter.journal.journal import Journal

class Router:
    last_id = 0
    def start_after(self, number):
        self.last_id = number

journal, router = Journal(sys.argv[1]), Router()
journal.follow(router)
while True:
    router.last_id += 1
    number = router.last_id
    journal.record(Record(kind="order", event_type="order", symbol="S:A", account="main",
                          payload={"n": number, "x": "x" * (number % 500)},
                          id=number, seq=number, time=number))
    print(number, flush=True)   # a client was sent it
"""


def sent_until_killed(path, moment):
    """The ids that a client of a run was sent which was killed after so many of them."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        sent = [int(child.stdout.readline()) for _ in range(moment)]
        child.send_signal(signal.SIGKILL)
        return sent + [int(line) for line in child.stdout]  # what was on its way


@pytest.mark.parametrize("moment", [1, 300, 3000])
async def test_whatever_a_client_was_sent_is_there_after_sigkill(path, gaps, moment):
    sent = [number for _ in range(2) for number in sent_until_killed(path, moment)]
    assert len(sent) >= 2 * moment
    assert BLOCK + 1 in sent
    with Journal(path) as journal:
        assert following(journal).last_id == 2 * BLOCK
        found = await replayed(journal, 0, gaps)
        page = journal.disk.reader.page(sent[-1] - 1, 1)
    # the last of each run may have been kept but not sent
    assert set(sent) <= set(found)
    assert len(found) - len(sent) <= 2
    assert page[0].body.startswith(b'{"n":%d,' % sent[-1])
    assert gaps == []
