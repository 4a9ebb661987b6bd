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
    """DGBIT: the job whose stream it is."""
    return {"job_uuid": session.variable, "message": f"Subscribed to job {session.variable}"}
