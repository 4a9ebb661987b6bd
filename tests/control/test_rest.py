"""The HTTP side of the REST port, called without a socket."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter

from fastrouter.control.problem import Problem
from fastrouter.control.rest import build

NAMES = ("thing", "both", "broken", "refused")


def more() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/thing")
    async def thing(count: int = 0) -> dict[str, int]:
        return {"count": count}

    @router.get("/v1/both")
    async def both() -> None:
        pass

    @router.delete("/v1/both")
    async def neither() -> None:
        pass

    @router.get("/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    @router.get("/v1/refused")
    async def refused() -> None:
        raise Problem(422, "no", code="INVALID_EVENT")

    return router


@pytest.fixture
async def http():
    app = build([more()], ["/ws"])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


async def test_healthz(http):
    assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_what_it_is_given_is_served_and_documented(http):
    assert (await http.get("/v1/thing?count=3")).json() == {"count": 3}
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert set(paths) == {"/healthz", *(f"/v1/{name}" for name in NAMES)}
    assert (await http.get("/docs")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("PUT", "/healthz", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/thing?count=x", 400, "BAD_REQUEST"),
        ("GET", "/v1/broken", 500, "INTERNAL_SERVER_ERROR"),
        ("GET", "/v1/refused", 422, "INVALID_EVENT"),
        ("GET", "/ws", 426, "UPGRADE_REQUIRED"),
        ("POST", "/ws", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_failures_are_in_our_form(http, method, path, status, code):
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.json().keys() == {"code", "message"}
    assert answer.json()["code"] == code


async def test_all_methods_of_a_path_are_allowed(http):
    answer = await http.put("/v1/both")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, DELETE")
    assert (await http.post("/healthz")).headers["allow"] == "GET"


async def test_the_pages_that_show_the_schema(http):
    for path in ("/docs", "/redoc"):
        answer = await http.get(path)
        assert answer.headers["content-type"].startswith("text/html")
        assert "/openapi.json" in answer.text


async def test_a_websocket_path_says_what_it_is(http):
    answer = await http.get("/ws")
    assert answer.headers["upgrade"] == "websocket"
    assert answer.headers["sec-websocket-version"] == "13"
