"""All jobs: those that run, those that wait, and those that have ended.

A change is kept before it is announced, and that it was announced is kept after it. A server that
is killed between the two announces it again when it next starts: every change is announced, and
twice only then.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastrouter.control.database import Database
from fastrouter.control.jobs.job import CANCELED, STOPPED, Job, payload_of, untold
from fastrouter.control.jobs.performance import Outcome, Performance, Program
from fastrouter.control.jobs.table import Table
from fastrouter.control.output import last_lines
from fastrouter.errors import EventError, FastrouterError, StoreError
from fastrouter.models import validate

__all__ = ["Jobs", "Options"]

T = TypeVar("T")

MOST_ERROR = 4000  # characters: an event has its bounds
RETRY = (0.1, 0.5, 2.0, 5.0)  # s between attempts to keep what cannot be kept; then as the last


class Options(NamedTuple):
    """How jobs are run."""

    folder: Path  # of their logs
    at_once: int = 2
    waiting: int = 1000  # at most; more are refused
    keep: int = 1000  # of those that have ended
    seconds: float | None = None  # that one may take
    grace: float = 5.0  # s from SIGTERM to SIGKILL
    nice: int = 0  # to 19: how far they let others have a CPU first


class Jobs:
    """The jobs of one store. `open` it, `begin`, and `close` it.

    `program_of`, called in a thread, says what is run for a job; what it raises of ours is why
    the job fails.
    `announce` publishes the payload of an event. `now` tells ns since the epoch.
    """

    def __init__(
        self,
        database: Database,
        options: Options,
        program_of: Callable[[Job], Program],
        announce: Callable[[dict[str, Any]], object],
        now: Callable[[], int],
    ) -> None:
        self._table = Table(database)
        self._options = options
        self._program_of = program_of
        self._announce = announce
        self._now = now
        self._log = logging.getLogger("fastrouter.jobs")
        self._waiting: deque[Job] = deque()
        self._creating = 0
        self._running: dict[str, Running] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._begun = False
        self._closed = asyncio.Event()

    # -------------------------------------------------------------------- begin and end

    async def open(self) -> None:
        """Take up what an earlier server left: announce what it could not; what ran has failed."""
        for job in await self._table.open_ends():
            if job.status == "running":
                failed = self._ended(job, Outcome("failed", error=STOPPED))
                await self._table.keep(failed)
                self._tell(failed)
            elif (told := self._tell(job)).status == "pending":
                self._waiting.append(told)
        await self._forget()

    def begin(self) -> None:
        """Run what waits."""
        self._begun = True
        self._fill()

    async def close(self) -> None:
        """Take no more; end those that run: they have failed. Those that wait are kept."""
        self._closed.set()
        for running in self._running.values():
            running.performance.stop("failed", STOPPED)
        while self._tasks:
            await asyncio.wait(self._tasks)

    def kill(self) -> None:
        """After `close` was asked for: end those that run without any grace."""
        for running in self._running.values():
            running.performance.kill()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    # -------------------------------------------------------------------- for whoever asks

    @property
    def counts(self) -> dict[str, int]:
        """How many there are, by the status of those that have not ended."""
        return {"pending": len(self._waiting), "running": len(self._running)}

    @property
    def full(self) -> bool:
        """Are there as many that wait as there may be?"""
        return len(self._waiting) + self._creating >= self._options.waiting

    async def create(
        self, job_type: str, request: dict[str, Any], key: str | None = None
    ) -> tuple[Job, bool]:
        """A new job, and True; or the one that was created with this key before, and False.

        Raises StoreError: there is none then.
        """
        self._creating += 1
        return await self._whole(self._create(job_type, request, key))

    async def find(self, job_id: str) -> Job | None:
        """The job of that id."""
        return await self._table.find(job_id)

    async def page(self, status: str | None, before: int | None, limit: int) -> list[Job]:
        """Up to `limit` jobs with a number below `before`, the newest first."""
        return await self._table.page(status, before, limit)

    def progress(self, job_id: str) -> dict[str, Any] | None:
        """What a job that runs last told of how far it is."""
        running = self._running.get(job_id)
        return None if running is None else running.performance.progress

    async def lines(self, job_id: str, count: int) -> list[str]:
        """The last lines of its output."""
        return await asyncio.to_thread(last_lines, self._path(job_id), count)

    async def cancel(self, job_id: str) -> bool:
        """Have it end, and return when that is kept; False when it neither runs nor waits."""
        for job in self._waiting:
            if job.id == job_id:
                self._waiting.remove(job)
                await self._whole(self._end(job, Outcome("canceled", error=CANCELED)))
                return True
        running = self._running.get(job_id)
        if running is None:
            return False
        running.performance.stop("canceled", CANCELED)
        await asyncio.wait([running.task])
        return True

    # -------------------------------------------------------------------- a job's life

    async def _create(
        self, job_type: str, request: dict[str, Any], key: str | None
    ) -> tuple[Job, bool]:
        job = Job(0, str(uuid.uuid4()), job_type, request, "pending", self._now())
        try:
            job, new = await self._table.add(job, key)
        finally:
            self._creating -= 1
        if new:
            job = self._tell(job)
            self._waiting.append(job)
            self._fill()
        return job, new

    def _fill(self) -> None:
        """Run as many as may run."""
        if not self._begun or self.closed:
            return
        while self._waiting and len(self._running) < self._options.at_once:
            job = self._waiting.popleft()
            performance = Performance()
            task = self._task(self._run(job, performance), job.id)
            self._running[job.id] = Running(performance, task)

    async def _run(self, job: Job, performance: Performance) -> None:
        started = replace(job, status="running", started_at=self._now())
        try:
            if await self._keep(started):
                told = self._tell(started)
                await self._end(told, await self._perform(told, performance))
        finally:
            del self._running[job.id]
            self._fill()
        await self._forget()

    async def _perform(self, job: Job, performance: Performance) -> Outcome:
        options = self._options
        try:
            program = await asyncio.to_thread(self._program_of, job)
        except FastrouterError as error:
            return Outcome("failed", error=str(error))
        except Exception:  # our own fault; it must not look as if it ran for ever
            self._log.exception("job %s cannot be run", job.id)
            return Outcome("failed", error="it cannot be run: see the server's log")
        path = self._path(job.id)
        outcome = await performance.run(program, path, options.seconds, options.grace, options.nice)
        try:
            validate("job", payload_of(self._ended(job, outcome), outcome.status))
        except EventError as error:
            return Outcome("failed", error=f"its report cannot be told: {error}")
        return outcome

    async def _end(self, job: Job, outcome: Outcome) -> None:
        ended = self._ended(job, outcome)
        if await self._keep(ended):
            self._tell(ended)

    def _ended(self, job: Job, outcome: Outcome) -> Job:
        status, result, error = outcome
        error = None if error is None else error[:MOST_ERROR]
        return replace(job, status=status, ended_at=self._now(), result=result, error=error)

    async def _keep(self, job: Job) -> bool:
        """Keep a change, as often as that has to be tried; False when the server ends meanwhile."""
        for attempt in itertools.count():
            try:
                await self._table.keep(job)
            except StoreError as error:
                if self.closed:
                    self._log.error("job %s is not kept as %s: %s", job.id, job.status, error)
                    return False
                self._log.warning("job %s waits for the store: %s", job.id, error)
            else:
                return True
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY[min(attempt, len(RETRY) - 1)]):
                    await self._closed.wait()
        raise AssertionError("it counts for ever")

    def _tell(self, job: Job) -> Job:
        """Announce what of it is not announced; the job as it is then."""
        statuses = untold(job)
        if not statuses:
            return job
        for status in statuses:
            self._announce(payload_of(job, status))
        job = replace(job, told=statuses[-1])
        self._table.tell(job).add_done_callback(self._check_told)
        return job

    def _check_told(self, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            self._log.warning("a job's change may be announced again: %s", error)

    async def _forget(self) -> None:
        """Let go of the oldest that have ended."""
        try:
            gone = await self._table.forget(self._options.keep)
        except StoreError as error:
            self._log.warning("old jobs are kept: %s", error)
            return
        if gone:
            await asyncio.to_thread(_remove, [self._path(job_id) for job_id in gone])

    # -------------------------------------------------------------------- the rest

    def _path(self, job_id: str) -> Path:
        return self._options.folder / f"{job_id}.log"

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it whole, even if who asked for it does not wait."""
        return await asyncio.shield(self._task(work, "a job's change"))

    def _task(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Running(NamedTuple):
    """A job that runs."""

    performance: Performance
    task: asyncio.Task[None]


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        for one in (path, Path(f"{path}.1")):
            one.unlink(missing_ok=True)
