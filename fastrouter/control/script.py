"""``/fastrouter.js``: what browsers import to connect."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter, Request, Response

__all__ = ["router"]

PATH = "/fastrouter.js"


def router() -> APIRouter:
    """The route, with the file as it is now."""
    text = files("fastrouter").joinpath("client", "fastrouter.js").read_bytes()
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    found = APIRouter()

    @found.api_route(PATH, methods=["GET", "HEAD"], include_in_schema=False)
    async def script(request: Request) -> Response:
        known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
        if "*" in known or any(tag.removeprefix("W/") == etag for tag in known):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(text, media_type="text/javascript", headers=headers)

    return found
