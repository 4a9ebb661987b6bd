"""Jobs by HTTP.

::

    POST   /v1/jobs           a new one: 201; with an Idempotency-Key that was used before, 200
    GET    /v1/jobs           a page, the newest first; ?status= &limit= &after=
    GET    /v1/jobs/{id}      one of them
    DELETE /v1/jobs/{id}      cancel it; 409 when it has ended
    GET    /v1/jobs/{id}/log  the last lines of its output; ?lines=
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from typing import Annotated, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import ValidationError

from fastrouter.control.body import read_json
from fastrouter.control.guard import Guard
from fastrouter.control.jobs.job import Job
from fastrouter.control.jobs.jobs import Jobs
from fastrouter.control.jobs.request import BacktestRequest
from fastrouter.control.jobs.view import JobLines, JobPage, JobView, Status
from fastrouter.control.problem import Problem, not_kept, refusals
from fastrouter.errors import FastrouterError, StoreError
from fastrouter.models.complaint import complaint

__all__ = ["Offer", "jobs_api"]

T = TypeVar("T")

MOST = 1000  # jobs a page, and lines of a log
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": BacktestRequest.model_json_schema()}},
    }
}


REFUSALS = refusals(
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    *(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
CREATING = refusals(
    *(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    HTTPStatus.TOO_MANY_REQUESTS,
) | {200: {"model": JobView, "description": "The job that this Idempotency-Key made before"}}


class Offer(NamedTuple):
    """What can be asked for. `check` raises a FastrouterError for subscriptions that cannot be."""

    strategies: Callable[[], Collection[str]]
    datasets: Callable[[], Collection[str]]  # called in a thread: it may look at a disk
    check: Callable[[str], object] = lambda subscriptions: None
    bad: Callable[[], Mapping[str, str]] = dict  # what only looks like one, and why; in a thread


def jobs_api(jobs: Jobs, offer: Offer, guard: Guard) -> APIRouter:
    """The routes, for an application that `answer_problems`."""
    router = APIRouter(
        prefix="/v1/jobs", dependencies=[Depends(guard)], responses=REFUSALS, tags=["jobs"]
    )

    @router.post(
        "",
        status_code=HTTPStatus.CREATED,
        responses=CREATING,
        openapi_extra=BODY,
        summary="Create a job",
    )
    async def create(
        request: Request,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    ) -> JobView:
        wanted = await _wanted(request, offer)
        if jobs.closed:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is stopping")
        if jobs.full:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS, "as many jobs wait as may", code="TOO_MANY_JOBS"
            )
        job, new = await _stored(jobs.create(wanted.job_type, wanted.plain(), idempotency_key))
        if not new:
            _check_same(job, wanted)
            response.status_code = HTTPStatus.OK
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return JobView.of(job, jobs.progress(job.id))

    @router.get("", summary="List jobs")
    async def some(
        status: Status | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        after: UUID | None = None,
    ) -> JobPage:
        before = None if after is None else (await _known(jobs, after)).number
        found = await _stored(jobs.page(status, before, limit + 1))
        views = [JobView.of(job, jobs.progress(job.id)) for job in found[:limit]]
        return JobPage(jobs=views, next=views[-1].job_id if len(found) > limit else None)

    @router.get("/{job_id}", summary="Show a job")
    async def one(job_id: UUID) -> JobView:
        job = await _known(jobs, job_id)
        return JobView.of(job, jobs.progress(job.id))

    @router.delete("/{job_id}", responses=refusals(HTTPStatus.CONFLICT), summary="Cancel a job")
    async def cancel(job_id: UUID) -> JobView:
        await _known(jobs, job_id)
        found = await _stored(jobs.cancel(str(job_id)))
        job = await _known(jobs, job_id)
        if not found or job.status != "canceled":
            raise Problem(HTTPStatus.CONFLICT, f"job {job.id} is {job.status}", code="JOB_ENDED")
        return JobView.of(job)

    @router.get("/{job_id}/log", summary="Show a job's output")
    async def log(job_id: UUID, lines: Annotated[int, Query(ge=1, le=MOST)] = 100) -> JobLines:
        job = await _known(jobs, job_id)
        return JobLines(job_id=job.id, lines=await jobs.lines(job.id, lines))

    return router


async def _wanted(request: Request, offer: Offer) -> BacktestRequest:
    """What the body asks for. Raises Problem 422 that says what is allowed."""
    said = await read_json(request)
    if not isinstance(said, dict):
        raise _refused(f"{type(said).__name__}; allowed: an object")
    try:
        wanted = BacktestRequest.model_validate(said)
        if wanted.subscriptions is not None:
            offer.check(wanted.subscriptions)
    except ValidationError as error:
        raise _refused(complaint(BacktestRequest, error)) from None
    except FastrouterError as error:
        raise _refused(f"subscriptions: {error}") from None
    _check_one_of("strategy", wanted.strategy, offer.strategies())
    await asyncio.to_thread(_check_dataset, wanted.dataset, offer)
    return wanted


def _check_dataset(name: str, offer: Offer) -> None:
    there = offer.datasets()
    if name not in there and (why := offer.bad().get(name)):
        raise _refused(f"dataset {name[:100]!r}: {why}")
    _check_one_of("dataset", name, there)


def _check_one_of(field: str, name: str, there: Collection[str]) -> None:
    if name not in there:
        allowed = ", ".join(sorted(there)[:100]) or "none"
        raise _refused(f"there is no {field} {name[:100]!r}; allowed: {allowed}")


def _check_same(job: Job, wanted: BacktestRequest) -> None:
    if job.request != wanted.plain():
        raise _refused(
            f"another request of this Idempotency-Key made job {job.id}", "IDEMPOTENCY_KEY_REUSED"
        )


def _refused(message: str, code: str = "INVALID_JOB") -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, message, code=code)


async def _known(jobs: Jobs, job_id: UUID) -> Job:
    job = await _stored(jobs.find(str(job_id)))
    if job is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no job {job_id}")
    return job


async def _stored(work: Awaitable[T]) -> T:
    """What the store answers; a Problem when it does not."""
    try:
        return await work
    except StoreError as error:
        raise not_kept(error) from None
