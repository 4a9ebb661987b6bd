"""Jobs with real processes and a real store: what is heard, and what is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fastrouter.errors import StoreError

from ...net.wire import turns, until
from .fakes import RESULT, TEXT, House

DONE = ["job.created", "job.started", "job.completed"]
FAILED = ["job.created", "job.started", "job.failed"]


class TestLife:
    async def test_what_is_heard_of_a_good_one(self, house):
        job_id = await house.create()
        assert await house.ended(job_id) == {
            "job_id": job_id,
            "job_type": "backtest",
            "status": "completed",
            "result": RESULT,
        }
        assert house.told(job_id) == DONE
        job = await house.jobs.find(job_id)
        assert (job.status, job.result, job.error) == ("completed", RESULT, None)
        assert job.created_at < job.started_at < job.ended_at
        assert await house.jobs.lines(job_id, 10) == ["working", TEXT]

    async def test_it_lets_others_go_first(self, build):
        house = await build(nice=4)
        error = (await house.ended(await house.create("nice")))["error"]
        assert error == f"exit status 1; its last lines:\n{os.nice(0) + 4}"

    @pytest.mark.parametrize(
        ("strategy", "error"),
        [
            ("failing", "exit status 3; its last lines:\none\nValueError: no bars"),
            ("silent", "exit status 1; it wrote nothing"),
            ("speechless", "it ended without a report; its last lines:\n[1]\n{broken\ndone"),
            ("infinite", 'it ended without a report; its last lines:\n{"win_rate": NaN}'),
            ("faulty", "COMMAND ended; its last lines:\none"),
            ("dying", "signal 9 (SIGKILL); its last lines:\nlast words"),
            ("gone", "there is no strategy 'gone' any more"),
        ],
    )
    async def test_what_is_heard_of_a_bad_one(self, house, strategy, error):
        job_id = await house.create(strategy)
        assert (await house.ended(job_id))["error"] == error
        assert house.told(job_id) == FAILED
        job = await house.jobs.find(job_id)
        assert (job.status, job.error, job.result) == ("failed", error, None)

    @pytest.mark.parametrize(
        ("strategy", "error"),
        [
            ("absent", "/no/such/program cannot be run: No such file or directory"),
            ("deep", "its report cannot be told: job: "),
            ("garbage", "exit status 2; its last lines:"),
        ],
    )
    async def test_a_bad_one_is_never_the_servers_trouble(self, house, strategy, error):
        job_id = await house.create(strategy)
        said = (await house.ended(job_id))["error"]
        assert said.startswith(error)
        assert len(said) < 3000

    async def test_a_fault_of_ours_is_its_end_too(self, house, caplog):
        job_id = await house.create("crashing")
        assert "see the server's log" in (await house.ended(job_id))["error"]
        assert "ZeroDivisionError" in caplog.text

    async def test_what_is_said_of_it_is_bounded(self, house):
        assert (await house.ended(await house.create("wordy")))["error"] == "x" * 4000

    async def test_its_report_may_have_lines_behind_it(self, house):
        assert (await house.ended(await house.create("ending")))["result"] == RESULT

    async def test_whom_it_leaves_behind_ends_with_it(self, house):
        assert (await house.ended(await house.create("leaving")))["result"] == RESULT

    async def test_how_far_it_is(self, house):
        job_id = await house.create("telling")
        assert house.jobs.progress(job_id) is None
        await until(lambda: house.jobs.progress(job_id))
        assert house.jobs.progress(job_id) == {"progress": 0.25, "events": 7}
        await house.jobs.cancel(job_id)
        assert house.jobs.progress(job_id) is None

    async def test_it_may_take_too_long(self, build):
        house = await build(seconds=0.1)
        job_id = await house.create("hearing")
        assert (await house.ended(job_id))["error"] == "not done within 0.1 s"

    async def test_a_folder_that_takes_no_log(self, build, tmp_path):
        (tmp_path / "jobs").touch()
        house = await build()
        assert "its log cannot be written" in (await house.ended(await house.create()))["error"]


class TestTurns:
    async def test_so_many_at_once_and_in_order(self, build):
        house = await build(at_once=2)
        ids = [await house.create("slow") for _ in range(4)]
        await until(lambda: house.told().count("job.started") == 2)
        await turns(20)
        statuses = [(await house.jobs.find(job_id)).status for job_id in ids]
        assert statuses == ["running", "running", "pending", "pending"]
        assert await house.jobs.cancel(ids[1])
        await until(lambda: house.told(ids[2]) == DONE[:2])
        assert house.told(ids[3]) == DONE[:1]
        for job_id in (ids[0], ids[2]):
            await house.jobs.cancel(job_id)
        await until(lambda: house.told(ids[3]) == DONE[:2])

    async def test_a_flood(self, build):
        house = await build(at_once=4, keep=1000, waiting=100)
        ids = await asyncio.gather(*(house.create() for _ in range(200)))
        assert house.jobs.full
        await until(lambda: house.told().count("job.completed") == 200)
        assert all(house.told(job_id) == DONE for job_id in ids)
        assert not house.jobs.full
        started = [one["payload"]["job_id"] for one in house.heard if one["type"] == DONE[1]]
        created = [one["payload"]["job_id"] for one in house.heard if one["type"] == DONE[0]]
        assert started == created

    async def test_pages(self, house):
        ids = [await house.create(name) for name in ("good", "failing", "good", "failing")]
        for job_id in ids:
            await house.ended(job_id)
        found = await house.jobs.page(None, None, 10)
        assert [job.id for job in found] == ids[::-1]
        page = await house.jobs.page("failed", found[0].number, 10)
        assert [job.id for job in page] == [ids[1]]
        assert [job.id for job in await house.jobs.page(None, None, 1)] == [ids[3]]

    async def test_the_oldest_are_forgotten_with_their_logs(self, build, tmp_path):
        house = await build(keep=2, at_once=1)
        ids = [await house.create() for _ in range(5)]
        await house.ended(ids[-1])
        await until(lambda: len(list((tmp_path / "jobs").iterdir())) == 2)
        assert [job.id for job in await house.jobs.page(None, None, 10)] == ids[:2:-1]
        assert {file.stem for file in (tmp_path / "jobs").iterdir()} == set(ids[3:])


class TestKey:
    async def test_the_same_key_makes_one(self, house):
        made = await asyncio.gather(
            *(house.jobs.create("backtest", {"strategy": "good"}, "k") for _ in range(5))
        )
        assert len({job.id for job, _ in made}) == 1
        assert [new for _, new in made] == [True, False, False, False, False]
        await house.ended(made[0][0].id)
        assert house.told() == DONE


class TestCancel:
    async def test_one_that_waits(self, build):
        house = await build(at_once=1)
        first, second = await house.create("slow"), await house.create()
        assert await house.jobs.cancel(second)
        assert house.told(second) == ["job.created", "job.failed"]
        assert house.last(second)["error"] == "canceled"
        job = await house.jobs.find(second)
        assert (job.status, job.error, job.started_at) == ("canceled", "canceled", None)
        assert not await house.jobs.cancel(second)
        await house.jobs.cancel(first)

    @pytest.mark.parametrize(("strategy", "grace"), [("slow", 60), ("hearing", 60), ("deaf", 0.05)])
    async def test_one_that_runs(self, build, strategy, grace):
        house = await build(grace=grace)
        job_id = await house.create(strategy)
        await house.saying(job_id)
        assert await house.jobs.cancel(job_id)
        assert house.told(job_id) == FAILED
        assert house.last(job_id)["error"] == "canceled"
        assert (await house.jobs.find(job_id)).status == "canceled"

    async def test_one_that_is_about_to_run(self, house):
        job_id = await house.create("slow")
        assert await house.jobs.cancel(job_id)
        assert house.told(job_id) == FAILED

    async def test_none(self, house):
        job_id = await house.create()
        await house.ended(job_id)
        assert not await house.jobs.cancel(job_id)
        assert not await house.jobs.cancel("nobody")
        assert (await house.jobs.find(job_id)).status == "completed"

    async def test_who_asked_may_leave(self, house):
        job_id = await house.create("slow")
        await house.saying(job_id)
        asking = asyncio.create_task(house.jobs.cancel(job_id))
        await asyncio.sleep(0)
        asking.cancel()
        assert (await house.ended(job_id))["error"] == "canceled"

    async def test_who_creates_may_leave(self, house):
        asking = asyncio.create_task(house.create())
        await asyncio.sleep(0)
        asking.cancel()
        await until(lambda: house.told() == DONE)


class TestRestart:
    async def test_what_ran_has_failed_and_what_waits_is_run(self, build):
        first = await build(at_once=1)
        ran, waited = await first.create("slow"), await first.create()
        await first.saying(ran)
        await first.close()
        assert first.told(ran) == FAILED
        assert first.last(ran)["error"] == "the server was stopped"
        assert first.told(waited) == ["job.created"]
        second = await build(at_once=1)
        await second.ended(waited)
        assert second.told() == ["job.started", "job.completed"]
        assert (await second.jobs.find(ran)).error == "the server was stopped"

    async def test_after_a_kill_all_is_announced_that_was_not(self, build):
        first = await build(at_once=1)
        ids = [await first.create() for _ in range(2)]
        for job_id in ids:
            await first.ended(job_id)
        await first.close()
        with sqlite3.connect(first.database.path) as connection:
            sql = "UPDATE jobs SET status = ?, told = ?, result = NULL WHERE id = ?"
            connection.execute(sql, ("running", "pending", ids[0]))
            connection.execute(sql, ("completed", "pending", ids[1]))
        connection.close()
        second = await build()
        assert second.told(ids[0]) == ["job.started", "job.failed"]
        assert second.last(ids[0])["error"] == "the server was stopped"
        assert second.told(ids[1]) == ["job.started", "job.completed"]
        await second.close()
        third = await build()
        assert third.told() == []

    async def test_a_server_in_a_hurry(self, build):
        """… has no grace for who does not hear; and none for who is not started yet."""
        house = await build(grace=1000)
        ids = [await house.create("deaf"), await house.create("deaf")]
        await house.saying(ids[0])
        closing = asyncio.create_task(house.jobs.close())
        await turns()
        while not closing.done():
            house.jobs.kill()
            await turns()
        assert [house.told(job_id)[-1] for job_id in ids] == ["job.failed"] * 2

    async def test_when_it_is_stopped_no_more_are_started(self, build):
        house = await build()
        await house.close()
        assert house.jobs.closed


class TestStore:
    async def test_a_job_that_cannot_be_kept_is_none(self, house, monkeypatch):
        broken(house, monkeypatch)
        with pytest.raises(StoreError):
            await house.create()
        monkeypatch.undo()
        assert house.told() == []
        assert await house.jobs.page(None, None, 10) == []

    async def test_an_end_is_kept_when_it_can_be(self, house, monkeypatch, caplog):
        job_id = await house.create("hearing")
        await house.saying(job_id)
        broken(house, monkeypatch)
        canceling = asyncio.create_task(house.jobs.cancel(job_id))
        await until(lambda: "waits for the store" in caplog.text)
        assert house.told(job_id) == DONE[:2]
        monkeypatch.undo()
        assert await canceling
        assert house.told(job_id) == FAILED

    async def test_a_server_that_ends_does_not_wait_for_its_store(self, house, monkeypatch, caplog):
        job_id = await house.create("hearing")
        await house.saying(job_id)
        broken(house, monkeypatch)
        await house.jobs.close()
        assert "is not kept as failed" in caplog.text
        assert house.told(job_id) == DONE[:2]


def broken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store takes nothing."""

    def run(work):
        done = asyncio.get_running_loop().create_future()
        done.set_exception(StoreError("the disk is full"))
        return done

    monkeypatch.setattr(house.database, "run", run)


SERVER = """
import asyncio, sys
from pathlib import Path
from tests.control.jobs.fakes import House

async def main():
    house = House(Path(sys.argv[1]))
    await house.open()
    job_id = await house.create("slow")
    await house.saying(job_id)
    print(job_id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_server_that_is_killed(build, tmp_path):
    """… takes its jobs' processes with it, and the next one tells."""
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(  # noqa: ASYNC220 -- it is killed, and waited for, at once
        [sys.executable, "-c", SERVER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    ) as server:
        assert server.stdout is not None
        job_id = server.stdout.readline().strip()
        server.send_signal(signal.SIGKILL)
    house = await build()
    assert (await house.jobs.find(job_id)).error == "the server was stopped"
    assert house.told(job_id) == ["job.failed"]
