"""What browsers import."""

from __future__ import annotations

from importlib.resources import files

import httpx
import pytest
from fastapi import FastAPI

from fastrouter.control import script


@pytest.fixture
async def http():
    app = FastAPI()
    app.include_router(script.router())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


async def test_any_page_may_import_it(http):
    answer = await http.get("/fastrouter.js", headers={"Origin": "https://desk.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.content == files("fastrouter").joinpath("client/fastrouter.js").read_bytes()
    assert b"export" in answer.content


async def test_who_has_it_gets_it_once(http):
    etag = (await http.get("/fastrouter.js")).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await http.get("/fastrouter.js", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["access-control-allow-origin"] == "*"
    answer = await http.get("/fastrouter.js", headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200


async def test_head(http):
    answer = await http.head("/fastrouter.js")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
