"""What can be simulated, by HTTP.

::

    GET /v1/datasets         all data sets; ?wait= seconds for those that are being read
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem, refusals
from fastrouter.core.leaves import iso8601

__all__ = ["DatasetView", "Datasets", "datasets_api"]

WAIT = 2.0  # s, unless asked otherwise
LONGEST = 30.0


class Listed(Protocol):
    """`fastrouter.engine.listing.Listed`."""

    @property
    def first(self) -> int | None: ...
    @property
    def last(self) -> int | None: ...
    def _asdict(self) -> dict[str, Any]: ...


class Listing(Protocol):
    """`fastrouter.engine.listing.Listing`."""

    def names(self) -> list[str]: ...
    def bad(self) -> dict[str, str]: ...
    def found(self) -> Sequence[Listed]: ...
    def look(self) -> None: ...
    def stop(self) -> None: ...


class Datasets:
    """A listing that is brought up to date in a thread, when somebody asks."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._looking: asyncio.Task[None] | None = None

    def names(self) -> list[str]:
        """What there is; it looks at a disk."""
        return self._listing.names()

    def bad(self) -> dict[str, str]:
        """What looks like one and is none, and why; it looks at a disk."""
        return self._listing.bad()

    async def found(self, wait: float) -> Sequence[Listed]:
        """What there is, as far as it is known after up to `wait` seconds."""
        if self._looking is None or self._looking.done():
            work = asyncio.to_thread(self._listing.look)
            self._looking = asyncio.create_task(work, name="data sets")
        await asyncio.wait([self._looking], timeout=wait)
        if self._looking.done():
            self._looking.result()
        return self._listing.found()

    async def close(self) -> None:
        """Look no more."""
        self._listing.stop()
        if self._looking is not None:
            await asyncio.wait([self._looking])


class DatasetView(BaseModel):
    """A data set. What is not known is null: all of its rows are read for it once."""

    name: str
    state: Literal["ready", "reading", "bad"]
    kinds: list[str] = Field(examples=[["bars"]])
    symbols: list[str]
    first: str | None = Field(description="when its first event is known")
    last: str | None
    rows: int | None
    bad_rows: int | None = Field(description="that are left out")
    files: list[str]
    error: str | None = Field(description="of a bad one: why it cannot be simulated")


REFUSALS = refusals(
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
    *(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)


class DatasetList(BaseModel):
    """All of them, by name."""

    datasets: list[DatasetView]


def datasets_api(datasets: Datasets, guard: Guard) -> APIRouter:
    """The route, for an application that `answer_problems`."""
    router = APIRouter(dependencies=[Depends(guard)], responses=REFUSALS, tags=["jobs"])

    @router.get("/v1/datasets", summary="List data sets")
    async def some(wait: Annotated[float, Query(ge=0, le=LONGEST)] = WAIT) -> DatasetList:
        try:
            found = await datasets.found(wait)
        except OSError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        return DatasetList(datasets=[_view(one) for one in found])

    return router


def _view(listed: Listed) -> DatasetView:
    fields = listed._asdict()
    times = {name: _time(fields[name]) for name in ("first", "last")}
    return DatasetView.model_validate({**fields, **times})


def _time(ns: int | None) -> str | None:
    return None if ns is None else iso8601(ns)
