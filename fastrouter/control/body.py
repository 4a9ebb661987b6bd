"""A request's body, read within bounds: the framework's own reading has none."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from starlette.requests import ClientDisconnect

from fastrouter.control.problem import Problem

__all__ = ["MOST_BYTES", "read_json", "too_large"]

MOST_BYTES = 1 << 20  # of a request


async def read_json(request: Request) -> Any:
    """What the body says. Raises Problem: 400, 413, 415.

    Only ``application/json`` is taken, which a page of somebody else's site cannot send
    here without asking first.
    """
    _check_type(request)
    body = await _read(request)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None


def _check_type(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type is {media or 'missing'}; allowed: application/json",
        )


async def _read(request: Request) -> bytes:
    """The request's body; a Problem as soon as it is known to be too large."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MOST_BYTES:
        raise too_large(f"{announced} bytes; allowed: {MOST_BYTES} in one request")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise too_large(f"more than {MOST_BYTES} bytes in one request")
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "the body is not whole") from None
    return bytes(body)


def too_large(message: str) -> Problem:
    """413."""
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="TOO_LARGE")
