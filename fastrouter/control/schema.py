"""``/openapi.json``, and the pages that show it."""

from __future__ import annotations

import asyncio
from functools import cache

import orjson
from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse

__all__ = ["router"]

PATH = "/openapi.json"


def router(app: FastAPI) -> APIRouter:
    """The routes. The schema takes long to make: a thread does that, when it is asked for first."""
    found = APIRouter(include_in_schema=False)

    @cache
    def text() -> bytes:
        return orjson.dumps(app.openapi())

    @found.get(PATH)
    async def schema() -> Response:
        return Response(await asyncio.to_thread(text), media_type="application/json")

    @found.get("/docs")
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url=PATH, title=app.title)

    @found.get("/redoc")
    async def redoc() -> HTMLResponse:
        return get_redoc_html(openapi_url=PATH, title=app.title)

    return found
