"""What a welcome says, beside the session's id and the newest event's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastrouter.session.session import Session

__all__ = ["of_job", "plain"]


def plain(session: Session) -> dict[str, Any]:
    """Nothing."""
    return {}


def of_job(session: Session) -> dict[str, Any]:
    """DGBIT: the job whose stream it is, known or not, over or not: who wants to know asks REST."""
    job = session.variable
    said = f"Subscribed to job {job}: to what becomes of it from now on"
    return {"job_uuid": job, "message": f"{said}. GET /v1/jobs/{job} has the rest"}
