"""The store's table of jobs: what is done with it, each in one transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from fastrouter.control.database import Database
from fastrouter.control.jobs.job import ENDED, Job

__all__ = ["Table"]

STEPS = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        key TEXT UNIQUE,
        job_type TEXT NOT NULL,
        request TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        result TEXT,
        error TEXT,
        told TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX jobs_by_status ON jobs (status, number);
    """,
)

COLUMNS = (
    "number, id, job_type, request, status, created_at, started_at, ended_at, result, error, told"
)
ENDS = ", ".join(f"'{status}'" for status in ENDED)


class Table:
    """The jobs of a store. Everything may raise StoreError: nothing was changed then."""

    def __init__(self, database: Database) -> None:
        database.schema("jobs", STEPS)
        self._database = database

    async def add(self, job: Job, key: str | None) -> tuple[Job, bool]:
        """Keep a new job; the one that there is with that key, and False, if there is one."""

        def work(connection: sqlite3.Connection) -> tuple[Job, bool]:
            if key is not None and (found := _one(connection, "key = ?", key)):
                return found, False
            (number,) = connection.execute(
                "INSERT INTO jobs (id, key, job_type, request, status, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
                (job.id, key, job.job_type, _text(job.request), job.status, job.created_at),
            ).fetchone()
            return replace(job, number=number), True

        return await self._database.run(work)

    async def keep(self, job: Job) -> None:
        """What has changed of it."""
        result = None if job.result is None else _text(job.result)
        state = (job.status, job.started_at, job.ended_at, result, job.error, job.told, job.id)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE jobs SET status = ?, started_at = ?, ended_at = ?, result = ?, error = ?,"
                " told = ? WHERE id = ?",
                state,
            )

        await self._database.run(work)

    def tell(self, job: Job) -> asyncio.Future[None]:
        """How much of it was announced."""
        told, name = job.told, job.id

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE jobs SET told = ? WHERE id = ?", (told, name))

        return self._database.run(work)

    async def open_ends(self) -> list[Job]:
        """Those that have not ended, or of which not all is announced; the oldest first."""
        return await self._database.run(
            lambda connection: _several(
                connection, f"WHERE status NOT IN ({ENDS}) OR told != status ORDER BY number"
            )
        )

    async def forget(self, keep: int) -> list[str]:
        """Keep that many of those that have ended, the newest; the ids of the others."""

        def work(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "DELETE FROM jobs WHERE number IN (SELECT number FROM jobs"
                f" WHERE status IN ({ENDS}) AND told = status"
                " ORDER BY number DESC LIMIT -1 OFFSET ?) RETURNING id",
                (keep,),
            )
            return [name for (name,) in rows.fetchall()]

        return await self._database.run(work)

    async def find(self, job_id: str) -> Job | None:
        """The job of that id."""
        return await self._database.run(lambda connection: _one(connection, "id = ?", job_id))

    async def page(self, status: str | None, before: int | None, limit: int) -> list[Job]:
        """Up to `limit` jobs with a number below `before`, the newest first."""
        where = ["1"]
        values: list[Any] = []
        if status is not None:
            where.append("status = ?")
            values.append(status)
        if before is not None:
            where.append("number < ?")
            values.append(before)
        clauses = f"WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?"
        return await self._database.run(
            lambda connection: _several(connection, clauses, (*values, limit))
        )


def _several(connection: sqlite3.Connection, rest: str, values: Sequence[Any] = ()) -> list[Job]:
    rows = connection.execute(f"SELECT {COLUMNS} FROM jobs {rest}", values)
    return [_job(row) for row in rows.fetchall()]


def _one(connection: sqlite3.Connection, where: str, value: str) -> Job | None:
    return next(iter(_several(connection, f"WHERE {where}", (value,))), None)


def _job(row: Sequence[Any]) -> Job:
    number, name, kind, request, status, created, started, ended, result, error, told = row
    return Job(
        number,
        name,
        kind,
        orjson.loads(request),
        status,
        created,
        started,
        ended,
        None if result is None else orjson.loads(result),
        error,
        told,
    )


def _text(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
