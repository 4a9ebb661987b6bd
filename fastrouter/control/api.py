"""The routes of the control port.

::

    GET    /healthz          200 while the process lives; for everybody
    GET    /metrics          Prometheus text
    GET    /sessions         a page of sessions; ?limit= &after= &dialect= &address=
    GET    /sessions/{id}    one of them
    DELETE /sessions/{id}    close it with 1008

All handlers are coroutines: they run on the loop that serves the sessions, so
that nothing they read changes under them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem, answer_problems
from fastrouter.control.sessions import Page, Sessions, SessionView, page_of

__all__ = ["REASON", "build"]

MOST = 1000  # sessions a page
REASON = "closed by the operator"


def build(sessions: Sessions, metrics: CollectorRegistry, guard: Guard) -> FastAPI:
    """The application."""
    app = FastAPI(title="fastrouter", openapi_url=None)
    answer_problems(app)
    guarded = [Depends(guard)]

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", dependencies=guarded)
    async def metrics_text() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    @app.get("/sessions", dependencies=guarded)
    async def some(
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        after: str = "",
        dialect: str | None = None,
        address: str | None = None,
    ) -> Page:
        return page_of(sessions.page(after, limit + 1, dialect, address), limit)

    @app.get("/sessions/{session_id}", dependencies=guarded)
    async def one(session_id: str) -> SessionView:
        found = sessions.find(session_id)
        if found is None:
            raise _unknown(session_id)
        return SessionView.model_validate(found)

    @app.delete("/sessions/{session_id}", dependencies=guarded, status_code=HTTPStatus.NO_CONTENT)
    async def close(session_id: str) -> None:
        if not sessions.close(session_id, REASON):
            raise _unknown(session_id)

    return app


def _unknown(session_id: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"no session {session_id!r}")
