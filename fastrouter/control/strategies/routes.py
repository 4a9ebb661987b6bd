"""Strategies by HTTP.

::

    GET    /v1/strategies               all, and whether they can be started
    GET    /v1/strategies/{id}          one
    GET    /v1/strategies/{id}/log      what it wrote: ?lines=
    POST   /v1/strategies/{id}/start    ORCH's `config` as the body, or none
    POST   /v1/strategies/{id}/stop     answered when it has ended
    POST   /v1/strategies/{id}/pause

A refusal has the code that the same command gets on a socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from fastrouter.control.body import NO_BODY, check_origin, read_json_if_any
from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem, not_kept, refusals
from fastrouter.control.strategies.registry import Registry
from fastrouter.control.strategies.start_body import StartConfig, read
from fastrouter.control.strategies.view import Lines, Listed, View
from fastrouter.errors import FastrouterError, StoreError

__all__ = ["routes"]

MOST_LINES = 1000
LINES = 100

#: code -> status; 400 for any other
STATUS = {
    "UNKNOWN_STRATEGY": HTTPStatus.NOT_FOUND,
    "ALREADY_RUNNING": HTTPStatus.CONFLICT,
    "NOT_RUNNING": HTTPStatus.CONFLICT,
    "STRATEGY_FAILED": HTTPStatus.CONFLICT,
    "STRATEGY_PAUSED": HTTPStatus.FORBIDDEN,
    "UNKNOWN_SYMBOL": HTTPStatus.UNPROCESSABLE_ENTITY,
    "AMBIGUOUS_SYMBOL": HTTPStatus.UNPROCESSABLE_ENTITY,
    "INVALID_LIMIT": HTTPStatus.UNPROCESSABLE_ENTITY,
    "INVALID_MESSAGE": HTTPStatus.UNPROCESSABLE_ENTITY,
}


#: for OpenAPI
REFUSALS = refusals(
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    HTTPStatus.NOT_FOUND,
)
ACTING = REFUSALS | refusals(
    *(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    *(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNPROCESSABLE_ENTITY),
    HTTPStatus.SERVICE_UNAVAILABLE,
)
BODY = {
    "requestBody": {"content": {"application/json": {"schema": StartConfig.model_json_schema()}}}
}

Id = Annotated[str, Path(description="the strategy's", alias="strategy_id")]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise not_kept(error) from None
    except FastrouterError as error:
        status = STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
        raise Problem(status, str(error), code=error.code) from None


def routes(registry: Registry, guard: Guard) -> APIRouter:
    """All of them, for an application that `answer_problems`. Who owns the account may look."""
    found = APIRouter(prefix="/v1/strategies", tags=["strategies"])
    owner, operator = [Depends(guard.or_owner(registry.account))], [Depends(guard)]

    @found.get("", responses=REFUSALS, dependencies=owner)
    async def all_of_them() -> Listed:
        return Listed(
            service="RUNNING" if registry.running else "STOPPED",
            strategies=[View.of(one) for one in registry],
        )

    @found.get("/{strategy_id}", responses=REFUSALS, dependencies=owner)
    async def one(strategy_id: Id) -> View:
        with _refusing():
            return View.of(registry.find(strategy_id))

    @found.get("/{strategy_id}/log", responses=REFUSALS, dependencies=operator)
    async def log(
        strategy_id: Id, lines: Annotated[int, Query(ge=1, le=MOST_LINES)] = LINES
    ) -> Lines:
        with _refusing():
            return Lines(lines=await registry.find(strategy_id).written(lines))

    @found.post("/{strategy_id}/start", responses=ACTING, dependencies=operator, openapi_extra=BODY)
    async def start(strategy_id: Id, request: Request) -> View:
        with _refusing():
            strategy = registry.find(strategy_id)
            await strategy.start(await _config(request))
            return View.of(strategy)

    @found.post("/{strategy_id}/stop", responses=ACTING, dependencies=operator)
    async def stop(strategy_id: Id, request: Request) -> View:
        check_origin(request)
        with _refusing():
            strategy = registry.find(strategy_id)
            await strategy.stop()
            return View.of(strategy)

    @found.post("/{strategy_id}/pause", responses=ACTING, dependencies=operator)
    async def pause(strategy_id: Id, request: Request) -> View:
        check_origin(request)
        with _refusing():
            strategy = registry.find(strategy_id)
            await strategy.pause()
            return View.of(strategy)

    return found


async def _config(request: Request) -> dict[str, Any]:
    """What the body says; nothing without one. Raises Problem, MessageError."""
    body = await read_json_if_any(request)
    return {} if body is NO_BODY else read(body)
