"""Why a request is not served: a status, and ``{"code", "message"}`` as everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from fastrouter.errors import StoreError
from fastrouter.models.complaint import parameter_complaint

__all__ = ["CRASH", "Problem", "Refused", "answer_problems", "not_kept", "refusals"]
__all__ += ["wrong_parameters"]

CRASH = "see the server's log"
RETRY_AFTER = "1"
"""Seconds until a store that did not take something may."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Problem(Exception):
    """Ends a request with this answer. The code is the status's name unless given: a word, or
    Alpaca's number in its API."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        code: str | int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code: str | int = code or status.name
        self.headers = headers

    def answer(self) -> JSONResponse:
        """The response."""
        body = {"code": self.code, "message": str(self)}
        return JSONResponse(body, self.status, headers=self.headers)


class Refused(BaseModel):
    """What a Problem says."""

    code: str = Field(examples=["NOT_AUTHENTICATED"])
    message: str


def refusals(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What a route may refuse with, for OpenAPI."""
    return {status.value: {"model": Refused} for status in statuses}


def not_kept(error: StoreError) -> Problem:
    """The answer when the store did not take it, or did not say what it has."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        str(error),
        code=error.code,
        headers={"Retry-After": RETRY_AFTER},
    )


def answer_problems(app: FastAPI) -> None:
    """Have the application answer every failure in our form."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _crash)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return error.answer()


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """A parameter that cannot be."""
    assert isinstance(error, RequestValidationError)
    return Problem(HTTPStatus.BAD_REQUEST, wrong_parameters(error)).answer()


def wrong_parameters(error: RequestValidationError) -> str:
    """In one line: which, why, and what is allowed."""
    return "; ".join(parameter_complaint(found) for found in error.errors())


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    message = f"{request.method} {request.url.path}: {status.phrase.lower()}"
    headers = error.headers
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {**(headers or {}), "Allow": ", ".join(_methods(request))}
    return Problem(status, message, headers=headers).answer()


def _methods(request: Request) -> list[str]:
    """Those of the path; the framework names those of its first route alone."""
    routes = request.app.router.routes
    scopes = [{**request.scope, "method": method} for method in METHODS]
    found = [any(route.matches(scope)[0] is Match.FULL for route in routes) for scope in scopes]
    return [method for method, there in zip(METHODS, found, strict=True) if there]


async def _left(request: Request, error: Exception) -> JSONResponse:
    """Its client left before the request was whole: nobody reads this, and it is no crash."""
    return Problem(HTTPStatus.BAD_REQUEST, "the request ended early").answer()


async def _crash(request: Request, error: Exception) -> JSONResponse:
    """Our own fault; the server's log has the traceback."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, CRASH).answer()
