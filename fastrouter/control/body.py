"""A request's body, read within bounds: the framework's own reading has none."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from fastrouter.control.decimals import doubles_within, loads
from fastrouter.control.problem import Problem

__all__ = ["MOST_BYTES", "NO_BODY", "check_origin", "read_json", "read_json_if_any", "too_large"]

MOST_BYTES = 1 << 20  # of a request

NO_BODY = object()


async def read_json(request: Request, inexact: Callable[[Any], bool] = doubles_within) -> Any:
    """What the body says. Raises Problem: 400, 413, 415.

    Numbers with a fraction are decimals: see `loads`, which is told when by `inexact`.

    Only ``application/json`` is taken, which a page of somebody else's site cannot send
    here without asking first.
    """
    _check_type(request)
    body = await _read(request)
    try:
        return loads(body, inexact)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None


async def read_json_if_any(request: Request) -> Any:
    """The same; NO_BODY when there is none. Raises Problem."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        check_origin(request)
        return NO_BODY
    return await read_json(request)


def check_origin(request: Request) -> None:
    """A page of somebody else's site can send a request without a body; it tells whose it is.

    Raises Problem: 415.
    """
    media = _media(request)
    if "origin" in request.headers and media != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type is {media or 'missing'}; allowed from a page: application/json",
        )


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_type(request: Request) -> None:
    media = _media(request)
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
