"""Programs that do what a backtest might do, and jobs of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from fastrouter.control.database import Database
from fastrouter.control.jobs.job import Job
from fastrouter.control.jobs.jobs import Jobs, Options
from fastrouter.control.jobs.performance import Program
from fastrouter.core.sink import MessageSink
from fastrouter.dialects import load
from fastrouter.embed import Router
from fastrouter.errors import ConfigError

from ...net.wire import until

REPORT = {"total_trades": 15, "win_rate": 0.6, "total_return": 0.12}
RESULT = {**REPORT, "events": 7}
TEXT = orjson.dumps({"events": 7, "report": REPORT, "error": None}).decode()
FAULT = '{"report": null, "error": {"code": "COMMAND_LEFT", "message": "COMMAND ended"}}'
ENVIRONMENT = {"PATH": os.environ["PATH"]}
FOREVER = "while :; do sleep 0.01; done"

#: strategy -> a program for the shell
PROGRAMS: Mapping[str, str] = {
    "good": f"echo working; echo '{TEXT}'",
    "ending": f"echo '{TEXT}'; echo; echo bye",
    "failing": "echo one; echo 'ValueError: no bars' >&2; exit 3",
    "silent": "exit 1",
    "speechless": "echo '[1]'; echo '{broken'; echo done",
    "infinite": "echo '{\"win_rate\": NaN}'",
    "deep": 'echo \'{"report":' + '{"a":' * 300 + "1" + "}" * 301 + "'",
    "faulty": f"echo one; echo '{FAULT}'; exit 3",
    "slow": f"echo up; {FOREVER}",
    "deaf": f"trap '' TERM; echo up; {FOREVER}",
    "hearing": "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done",
    "dying": "echo last words; kill -9 $$",
    "telling": f'echo \'{{"progress": 0.25, "events": 7}}\n{{"x": 1}}\'; {FOREVER}',
    "nice": "nice >&2; exit 1",
    "garbage": "head -c 100000 /dev/urandom; exit 2",
    "leaving": f"sh -c 'trap \"\" TERM HUP; {FOREVER}' & echo '{TEXT}'",
}


def program_of(job: Job) -> Program:
    strategy = job.request["strategy"]
    if strategy == "gone":
        raise ConfigError("there is no strategy 'gone' any more")
    if strategy == "wordy":
        raise ConfigError("x" * 1_000_000)
    if strategy == "crashing":
        raise ZeroDivisionError
    if strategy == "absent":
        return Program(["/no/such/program"], ENVIRONMENT)
    return Program(["/bin/sh", "-c", PROGRAMS[strategy]], ENVIRONMENT)


def request(strategy: str = "good", **more: Any) -> dict[str, Any]:
    return {"job_type": "backtest", "strategy": strategy, "dataset": "eurusd", **more}


class House:
    """Jobs of a folder, and all that is heard of them in the dialect ``dgbit``."""

    def __init__(self, folder: Path, *, in_memory: bool = False, **options: Any) -> None:
        self.router = Router()
        self.heard: list[dict[str, Any]] = []
        self._outbox = self.router.attach(
            MessageSink(lambda message: self.heard.append(orjson.loads(message))), load("dgbit")
        )
        self._outbox.subscribe([("*", "job")])
        self.database = Database(None if in_memory else folder / "state.db")
        clock = itertools.count(1_700_000_000_000_000_000, 1_000_000_000)
        self.jobs = Jobs(
            self.database,
            Options(folder / "jobs", **{"grace": 60.0, **options}),
            program_of,
            lambda payload: self.router.publish("job", payload),
            lambda: next(clock),
        )

    async def open(self) -> None:
        await self.jobs.open()
        self.jobs.begin()

    async def close(self) -> None:
        await self.jobs.close()
        await self.database.close()
        self._outbox.flush()

    async def create(self, strategy: str = "good", **more: Any) -> str:
        job, new = await self.jobs.create("backtest", request(strategy, **more))
        assert new
        return job.id

    def told(self, job_id: str | None = None) -> list[str]:
        """The types of what was heard, of one job or all."""
        self._outbox.flush()
        return [
            message["type"]
            for message in self.heard
            if job_id is None or message["payload"]["job_id"] == job_id
        ]

    def last(self, job_id: str) -> dict[str, Any]:
        """What was heard last of a job."""
        return [one["payload"] for one in self.heard if one["payload"]["job_id"] == job_id][-1]

    async def ended(self, job_id: str) -> dict[str, Any]:
        """How it ended, as heard."""
        await until(lambda: {"job.completed", "job.failed"} & {*self.told(job_id)})
        return self.last(job_id)

    async def saying(self, job_id: str, line: str = "up") -> None:
        """It runs, and has said so."""
        while line not in await self.jobs.lines(job_id, 10):
            pass
