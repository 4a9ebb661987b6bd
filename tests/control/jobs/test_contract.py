"""Schemathesis over the routes of jobs and data sets: no 5xx, nothing that the schema has not."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import settings

from fastrouter.control.datasets import Datasets, datasets_api
from fastrouter.control.guard import Guard
from fastrouter.control.jobs.api import Offer, jobs_api
from fastrouter.control.jobs.job import Job
from fastrouter.control.rest import build
from fastrouter.engine.listing import Listing

WHY = "schemathesis is not installed"
schemathesis = pytest.importorskip("schemathesis", reason=WHY)
checks = pytest.importorskip("schemathesis.specs.openapi.checks", reason=WHY)


class MemoryJobs:
    """Jobs that wait for ever: each request has a loop of its own here."""

    closed = full = False

    def __init__(self) -> None:
        self.all: dict[str, Job] = {}
        self.keys: dict[str | None, Job] = {}

    async def create(self, job_type: str, request: dict[str, Any], key: str | None = None):
        if key is not None and key in self.keys:
            return self.keys[key], False
        number = len(self.all) + 1
        job = Job(number, str(uuid.UUID(int=number)), job_type, request, "pending", 0)
        self.all[job.id] = self.keys[key] = job
        return job, True

    async def find(self, job_id: str) -> Job | None:
        return self.all.get(job_id)

    async def page(self, status: str | None, before: int | None, limit: int) -> list[Job]:
        found = [job for job in self.all.values() if status in (None, job.status)]
        return [job for job in found[::-1] if before is None or job.number < before][:limit]

    def progress(self, job_id: str) -> None:
        return None

    async def lines(self, job_id: str, count: int) -> list[str]:
        return ["one", "two"][-count:]

    async def cancel(self, job_id: str) -> bool:
        return False


def application() -> FastAPI:
    guard = Guard(None, lambda: 0.0)
    offer = Offer(lambda: ["crossover"], lambda: ["synthetic"])
    jobs: Any = MemoryJobs()
    return build([jobs_api(jobs, offer, guard), datasets_api(Datasets(Listing(None)), guard)])


schema = schemathesis.openapi.from_asgi("/openapi.json", application())

#: of what the schema allows only what is there can be had: 422, 404
JUDGED = {"POST"}


@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_the_contract_holds(case: Any) -> None:
    excluded = [checks.positive_data_acceptance] if case.operation.method.upper() in JUDGED else []
    case.call_and_validate(excluded_checks=excluded)
