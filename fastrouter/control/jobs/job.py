"""A job, as the store keeps it and as events tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CANCELED", "ENDED", "STATUSES", "STOPPED", "Job", "payload_of", "untold"]

STATUSES = ("pending", "running", "completed", "failed", "canceled")
ENDED = ("completed", "failed", "canceled")

#: why a job ended that did not fail by itself
CANCELED = "canceled"
STOPPED = "the server was stopped"


@dataclass(frozen=True, slots=True)
class Job:
    """One state of it. Instants are ns since the epoch, None what has not come yet."""

    number: int  # in the order in which they were created
    id: str
    job_type: str
    request: dict[str, Any]
    status: str
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    result: dict[str, Any] | None = None
    error: str | None = None
    told: str = ""  # the last status that was announced

    @property
    def ended(self) -> bool:
        return self.status in ENDED


def payload_of(job: Job, status: str) -> dict[str, Any]:
    """The event that says it has that status. On the wire who is canceled has failed."""
    payload: dict[str, Any] = {
        "id": job.id,
        "job_type": job.job_type,
        "status": "failed" if status == "canceled" else status,
    }
    if status in ENDED:
        if job.result is not None:
            payload["result"] = job.result
        if job.error is not None:
            payload["error"] = job.error
    return payload


def untold(job: Job) -> list[str]:
    """The statuses that it has, or had, and that are still to be announced."""
    had = ["pending"]
    if job.started_at is not None:
        had.append("running")
    if job.ended:
        had.append(job.status)
    return had[had.index(job.told) + 1 :] if job.told in had else had
