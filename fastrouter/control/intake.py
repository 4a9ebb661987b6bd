"""Events that come in by HTTP.

::

    POST /v1/events          one event, or an array of them; 202 with their ids

All of an array or nothing: one that cannot be routed is a 422 that names it, and none is
published. Only ``application/json`` is taken, which a page of somebody else's site cannot send
here without asking first.

Checking and publishing go on in slices, between which the loop serves the sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Annotated, Any, Protocol, Union

import orjson
from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from fastrouter.control.body import MOST_BYTES, read_json, too_large
from fastrouter.control.decimals import doubles_within
from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem, refusals
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.kinds import MARKET_KINDS
from fastrouter.errors import EventError
from fastrouter.models.body import BODIES, event_of

__all__ = ["MOST_BYTES", "MOST_EVENTS", "Accepted", "Publisher", "intake"]

MOST_EVENTS = 1000  # of a request
SLICE = 50  # events, of which a millisecond is made
ENVELOPE = 2048  # bytes a dialect may add to a payload

AnyEvent = Quote | Candle | Event


class Publisher(Protocol):
    """`fastrouter.embed.Router`, as far as it is known here."""

    @property
    def max_event(self) -> int: ...
    @property
    def last_id(self) -> int: ...
    def publish(self, event: Quote | Candle, /) -> int: ...
    def publish_event(
        self, kind: str, payload: dict[str, Any], symbol: str, time: int, account: str | None, /
    ) -> object: ...
    def batch(self) -> AbstractContextManager[object]: ...
    async def drained(self) -> object: ...


class Accepted(BaseModel):
    """What was published, in the order it came in."""

    ids: list[str] = Field(examples=[["evt_7", "evt_8"]])


#: what OpenAPI shows; `event_of` is what checks
AnyBody: Any = Annotated[
    Union[tuple(BODIES.values())],  # noqa: UP007 -- of a table
    Field(discriminator="kind"),
]

AnyBodies: Any = AnyBody | list[AnyBody]

REFUSALS = refusals(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def intake(publisher: Publisher, guard: Guard) -> APIRouter:
    """The routes, for an application that `answer_problems`. `guard` is asked before all else."""

    async def handle(request: Request) -> Response:
        await guard(request)
        events = await _events(await read_json(request, _inexact), publisher)
        ids = [f"evt_{number}" for number in await _publish(publisher, events)]
        return JSONResponse({"ids": ids}, HTTPStatus.ACCEPTED)

    class Raw(APIRoute):
        """Its endpoint is for OpenAPI alone: the body is read, bounded, by `handle`."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            return handle

    router = APIRouter(route_class=Raw)

    @router.post(
        "/v1/events",
        status_code=HTTPStatus.ACCEPTED,
        responses=REFUSALS,
        summary="Publish events",
    )
    async def publish(body: Annotated[AnyBodies, Body()]) -> Accepted:
        """Publish one event or an array of up to 1000: all of them, or none."""
        raise AssertionError("never called: see Raw")

    return router


# ---- what came in


def _inexact(said: Any) -> bool:
    """Are there doubles but in quotes and candles, whose numbers are such?"""
    bodies = said if isinstance(said, list) else [said]
    return any(
        doubles_within(body)
        for body in bodies
        if not isinstance(body, dict) or body.get("kind") not in MARKET_KINDS
    )


async def _events(said: Any, publisher: Publisher) -> list[AnyEvent]:
    """Every event of a request. Raises Problem for the first that cannot be routed."""
    bodies = said if isinstance(said, list) else [said]
    if len(bodies) > MOST_EVENTS:
        raise too_large(f"{len(bodies)} events; allowed: {MOST_EVENTS} in one request")
    events: list[AnyEvent] = []
    for start in range(0, len(bodies), SLICE):
        if start:
            await publisher.drained()
        for index, body in enumerate(bodies[start : start + SLICE], start):
            where = f"event {index}: " if isinstance(said, list) else ""
            try:
                events.append(_event(body, publisher.max_event - ENVELOPE))
            except EventError as error:
                raise Problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY, f"{where}{error}", code=error.code
                ) from None
    return events


def _event(body: object, most: int) -> AnyEvent:
    event = event_of(body)
    if isinstance(event, Event):
        try:
            size = len(orjson.dumps([[[[event.payload]]]]))  # as deep as an envelope
        except TypeError as error:
            raise EventError(f"{event.kind}: payload cannot be sent as JSON: {error}") from None
        if size > most:
            raise EventError(f"{event.kind}: payload of {size} bytes; allowed: {most}")
    return event


# ---- what goes out


async def _publish(publisher: Publisher, events: Sequence[AnyEvent]) -> list[int]:
    """Publish them, in order; their ids."""
    ids: list[int] = []
    for start in range(0, len(events), SLICE):
        if start:
            await publisher.drained()
        with publisher.batch():
            ids += [_publish_one(publisher, event) for event in events[start : start + SLICE]]
    return ids


def _publish_one(publisher: Publisher, event: AnyEvent) -> int:
    if not isinstance(event, Event):
        return publisher.publish(event)
    account = event.account or None
    publisher.publish_event(event.kind, event.payload, event.symbol, event.time, account)
    return publisher.last_id
