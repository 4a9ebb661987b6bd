"""A job's progress."""

from __future__ import annotations

from typing import Annotated, Literal

from fastrouter.models.fields import LOWER, Free, Name, Symbol
from fastrouter.models.payload import Payload

__all__ = ["Job"]


class Job(Payload):
    """Kind ``job``; its topic's symbol is its `id`."""

    id: Symbol
    job_type: Name
    status: Annotated[Literal["pending", "running", "completed", "failed"], LOWER]
    result: Free | None = None
    error: str | None = None
    metadata: Free | None = None
