"""The HTTP side of a port that serves WebSocket sessions, too.

::

    GET    /healthz          200 until the server drains; for everybody
    GET    /fastrouter.js    what browsers import; for everybody
    GET    /docs             what there is, from /openapi.json; for everybody
    POST   /v1/events        see `intake`
    GET    /ws …             426: those are for WebSockets

What else there is comes in routers, each with the guard that it needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

from fastrouter.control import schema, script
from fastrouter.control.problem import Problem, answer_problems

__all__ = ["build"]


def build(routers: Iterable[APIRouter] = (), websockets: Iterable[str] = ()) -> FastAPI:
    """The application; `websockets` are the paths of sessions at the same port."""
    app = FastAPI(title="fastrouter", openapi_url=None, dependencies=[Depends(_exact)])
    answer_problems(app)
    app.include_router(schema.router(app))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    app.include_router(script.router())
    for path in websockets:
        app.add_api_route(path, _upgrade, methods=["GET", "HEAD"], include_in_schema=False)
    for router in routers:
        app.include_router(router)
    return app


async def _exact(request: Request) -> None:
    """The framework matches paths with ``$``, which a line's end may follow."""
    if request.scope["path"].endswith("\n"):
        raise HTTPException(HTTPStatus.NOT_FOUND)


async def _upgrade() -> None:
    raise Problem(
        HTTPStatus.UPGRADE_REQUIRED,
        "this is a WebSocket endpoint",
        headers={"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
    )
