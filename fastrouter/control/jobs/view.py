"""Jobs as REST shows them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from fastrouter.control.jobs.job import Job
from fastrouter.core.leaves import iso8601

__all__ = ["JobLines", "JobPage", "JobView", "Status"]

Status = Literal["pending", "running", "completed", "failed", "canceled"]


class JobView(BaseModel):
    """A job; what has not come yet is null."""

    job_id: str
    job_type: str
    status: Status
    created_at: str
    started_at: str | None
    ended_at: str | None
    request: dict[str, Any] = Field(description="as it was asked for")
    progress: dict[str, Any] | None = Field(description="of one that runs, if it tells")
    result: dict[str, Any] | None = Field(description="of one that is completed")
    error: str | None = Field(description="of one that has failed: how, and its last lines")

    @classmethod
    def of(cls, job: Job, progress: dict[str, Any] | None = None) -> Self:
        """The view of a job."""
        return cls.model_construct(
            job_id=job.id,
            job_type=job.job_type,
            status=job.status,
            created_at=_time(job.created_at),
            started_at=_time(job.started_at),
            ended_at=_time(job.ended_at),
            request=job.request,
            progress=progress,
            result=job.result,
            error=job.error,
        )


class JobPage(BaseModel):
    """Some jobs, the newest first; `next` is the ``after`` of the next page."""

    jobs: list[JobView]
    next: str | None


class JobLines(BaseModel):
    """The last lines of a job's output, the newest last."""

    job_id: str
    lines: list[str]


def _time(ns: int | None) -> str | None:
    return None if ns is None else iso8601(ns)
