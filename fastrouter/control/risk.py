"""The risk guardian: where each limit stands, and the kill switch.

::

    GET    /v1/risk          where each limit stands
    POST   /v1/risk/kill     {"reason"}, or no body: cancel every order and accept none;
                             positions can be closed
    POST   /v1/risk/revive   accept orders again

Each answers with `RiskView`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fastrouter.broker import Broker, Change
from fastrouter.control.body import NO_BODY, check_origin, read_json_if_any
from fastrouter.control.desk import Desk
from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem, not_kept, refusals
from fastrouter.control.reading import read
from fastrouter.control.risk_status import status
from fastrouter.errors import StoreError
from fastrouter.models.risk import Risk

__all__ = ["CLAIMS", "RiskView", "router"]

#: of a token, one of which is needed
CLAIMS = ("strategies", "admin")


class Kill(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200)] = "by hand"


class RiskView(BaseModel):
    """Where each limit stands; decimals are text."""

    account_id: str
    mode: str
    killed: bool
    equity: str
    day_loss: str = Field(description="since the session's start, from 0")
    limits: list[dict[str, Any]] = Field(description=f"as events: {', '.join(Risk.model_fields)}")


PROBLEMS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)
BODY_PROBLEMS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def router(desk: Desk, guard: Guard) -> APIRouter:
    """The routes, for an application that `answer_problems`. The guard's claims are `CLAIMS`;
    who owns the account may look, too.
    """
    routes = APIRouter(responses=refusals(*PROBLEMS))
    owner, operator = Depends(guard.or_owner(desk.broker.ledger.account.id)), Depends(guard)

    @routes.get(
        "/v1/risk",
        response_model=RiskView,
        dependencies=[owner],
        summary="Where each limit stands",
    )
    async def look() -> Response:
        return await _answer(desk)

    @routes.post(
        "/v1/risk/kill",
        response_model=RiskView,
        responses=refusals(*BODY_PROBLEMS),
        openapi_extra=_body(Kill),
        dependencies=[operator],
        summary="Cancel every order and accept none",
    )
    async def kill(request: Request) -> Response:
        reason = await _reason(request)
        await _change(desk, lambda broker, now: broker.kill(now, reason))
        return await _answer(desk)

    @routes.post(
        "/v1/risk/revive",
        response_model=RiskView,
        responses=refusals(HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        dependencies=[operator],
        summary="Accept orders again",
    )
    async def revive(request: Request) -> Response:
        check_origin(request)
        await _change(desk, lambda broker, now: broker.revive(now))
        return await _answer(desk)

    return routes


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": schema}}


async def _answer(desk: Desk) -> Response:
    with _keeping():
        found = await read(desk, lambda broker: status(broker, desk.now()))
    return Response(orjson.dumps(found), media_type="application/json")


async def _reason(request: Request) -> str:
    body = await read_json_if_any(request)
    try:
        return Kill.model_validate({} if body is NO_BODY else body).reason
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the body"
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{where}: {problem['msg']}; allowed: reason, a text"
        ) from None


async def _change(desk: Desk, call: Callable[[Broker, int], Change]) -> None:
    with _keeping():
        await desk.change(call)


@contextmanager
def _keeping() -> Iterator[None]:
    """What the store refuses is answered."""
    try:
        yield
    except StoreError as error:
        raise not_kept(error) from None
