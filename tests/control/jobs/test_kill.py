"""A server that is killed again and again: nothing is lost, and little said twice."""

from __future__ import annotations

import collections
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import orjson

KILLS = 6
JOBS = 12

#: makes jobs if there are none, notes all that is heard, and ends when all have ended
SERVER = f"""
import asyncio, os, sys
from pathlib import Path
import orjson
from tests.control.jobs.fakes import House

class Noting(list):
    def append(self, message):
        os.write(1, orjson.dumps(message) + b"\\n")

async def main():
    house = House(Path(sys.argv[1]), at_once=3)
    house.heard = Noting()
    publish = house.jobs._announce
    house.jobs._announce = lambda payload: (publish(payload), house.told())
    await house.open()
    have = len(await house.jobs.page(None, None, 100))
    for number in range(have, {JOBS}):
        await house.create(("good", "failing")[number % 2])
    while house.jobs._tasks:
        await asyncio.wait(house.jobs._tasks)
    await house.close()

asyncio.run(main())
"""


def run(folder: Path, lines: int | None) -> list[dict]:
    """What one server says; it is killed when that are so many lines."""
    root = str(Path(__file__).parents[3])
    heard = []
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            heard.append(orjson.loads(line))
            if len(heard) == lines:
                server.kill()
    assert server.returncode == (0 if lines is None or len(heard) < lines else -9)
    return heard


def test_every_change_is_told(tmp_path):
    rnd = random.Random(11)
    heard = [one for _ in range(KILLS) for one in run(tmp_path, rnd.randrange(1, JOBS))] + run(
        tmp_path, None
    )
    told = collections.defaultdict(list)
    for one in heard:
        told[one["payload"]["job_id"]].append(one["type"])
    with sqlite3.connect(tmp_path / "state.db") as connection:
        rows = connection.execute("SELECT id, status, told, started_at FROM jobs").fetchall()
    connection.close()
    assert len(rows) == len(told) == JOBS
    for name, status, last, started in rows:
        assert status == last
        assert status in ("completed", "failed")
        expected = ["job.created", *(["job.started"] if started else []), f"job.{status}"]
        assert list(dict.fromkeys(told[name])) == expected, "in their order"
    again = len(heard) - sum(len(set(one)) for one in told.values())
    assert again <= 4 * KILLS  # what was in hand: three that ran, and one that was made
