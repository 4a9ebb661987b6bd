"""Strategies by HTTP."""

from __future__ import annotations

import time
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from fastrouter.control.guard import Guard
from fastrouter.control.problem import answer_problems
from fastrouter.control.strategies.routes import routes
from fastrouter.control.strategies.strategy import Status
from fastrouter.errors import AuthError, StoreError

from ...net.wire import until
from .house import held, shell

JSON = {"Content-Type": "application/json"}


class Tokens:
    """Takes the tokens "strategies", "admin", "owner" and "user"."""

    def verify(self, token, now_s):
        if token not in ("strategies", "admin", "owner", "user"):
            raise AuthError("no such token")
        return SimpleNamespace(
            admin=token == "admin",
            strategies=token == "strategies",
            accounts=("default",) if token == "owner" else (),
        )


def client(running, verifier=None, **options) -> httpx.AsyncClient:
    app = FastAPI()
    answer_problems(app)
    guard = Guard(verifier, time.time, ("strategies", "admin"))
    app.include_router(routes(running.registry, guard))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://x/v1", **options)


@pytest.fixture
async def running(run):
    return await run(shell("mine", symbols=("S:AAPL",)), shell("other", "echo one; echo two"))


@pytest.fixture
async def http(running):
    async with client(running) as http:
        yield http


async def test_what_there_is(running, http):
    found = (await http.get("/strategies")).json()
    assert found["service"] == "RUNNING"
    mine, other = found["strategies"]
    assert mine == {
        "id": "mine",
        "name": "Mine",
        "status": "STOPPED",
        "symbols": ["S:AAPL"],
        "positions": [],
        "config": {"realTrading": False, "symbols": ["S:AAPL"]},
        "command": [*running.registry.find("mine").spec.command],
        "autostart": False,
        "pid": None,
        "started_at": None,
        "restarts": 0,
        "last_exit": None,
    }
    assert other == (await http.get("/strategies/other")).json()


async def test_its_life(running, http):
    config = {"symbols": ["MSFT", "S:AAPL"], "maxOrdersPerMinute": 5}
    answer = await http.post(
        "/strategies/mine/start", json={**config, "symbols": ["S:MSFT", "AAPL"]}
    )
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["symbols"]) == ("ACTIVE", ["S:MSFT", "S:AAPL"])
    assert found["config"]["maxOrdersPerMinute"] == 5
    assert found["pid"] == running.registry.find("mine").child.pid
    assert found["started_at"].endswith("Z")
    await held(running.desk, "mine", "S:AAPL", "10", at=150.25)
    answer = (await http.post("/strategies/mine/pause")).json()
    assert (answer["status"], answer["positions"][0]["entryPrice"]) == ("PAUSED", 150.25)
    assert (await http.post("/strategies/mine/start")).json()["status"] == "ACTIVE"
    answer = (await http.post("/strategies/mine/stop")).json()
    assert (answer["status"], answer["pid"], answer["started_at"]) == ("STOPPED", None, None)


async def test_its_log(running, http):
    assert (await http.get("/strategies/other/log")).json() == {"lines": []}
    await http.post("/strategies/other/start")
    other = running.registry.find("other")
    await until(lambda: other.status is Status.STOPPED)
    lines = ["one", "two", "fastrouter: exit status 0"]
    assert (await http.get("/strategies/other/log")).json() == {"lines": lines}
    assert (await http.get("/strategies/other/log?lines=2")).json() == {"lines": lines[1:]}


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/strategies/nope", None, 404, "UNKNOWN_STRATEGY"),
        ("GET", "/strategies/nope/log", None, 404, "UNKNOWN_STRATEGY"),
        ("POST", "/strategies/nope/start", None, 404, "UNKNOWN_STRATEGY"),
        ("POST", "/strategies/nope/stop", None, 404, "UNKNOWN_STRATEGY"),
        ("POST", "/strategies/mine/stop", None, 409, "NOT_RUNNING"),
        ("POST", "/strategies/mine/pause", None, 409, "NOT_RUNNING"),
        ("GET", "/strategies/mine/log?lines=0", None, 400, "BAD_REQUEST"),
        ("GET", "/strategies/mine/log?lines=1001", None, 400, "BAD_REQUEST"),
        ("GET", "/strategies/mine/log?lines=x", None, 400, "BAD_REQUEST"),
        ("POST", "/strategies/mine/fly", None, 404, "NOT_FOUND"),
        ("DELETE", "/strategies/mine", None, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/strategies/mine/start", "{", 400, "BAD_REQUEST"),
        ("POST", "/strategies/mine/start", "[]", 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", "5", 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"nope": 1}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"symbols": []}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"symbols": "AAPL"}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"symbols": ["A B"]}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"symbols": ["NOPE"]}', 422, "UNKNOWN_SYMBOL"),
        ("POST", "/strategies/mine/start", '{"symbols": ["MSFT"]}', 422, "AMBIGUOUS_SYMBOL"),
        ("POST", "/strategies/mine/start", '{"dataResolution": "7m"}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"realTrading": "no"}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"maxPositionValue": 0}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"maxPositionValue": "1"}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"maxOrdersPerMinute": 1.5}', 422, "INVALID_MESSAGE"),
        ("POST", "/strategies/mine/start", '{"stopLossPercentage": 2}', 422, "INVALID_MESSAGE"),
    ],
)
async def test_what_cannot_be(http, method, path, content, status, code):
    answer = await http.request(method, path, content=content, headers=JSON if content else {})
    found = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    assert found["message"]


async def test_a_body_that_is_too_large_or_of_another_kind(http):
    answer = await http.post("/strategies/mine/start", content=b" " * (2 << 20), headers=JSON)
    assert answer.status_code == 413
    answer = await http.post(
        "/strategies/mine/start", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("what", ["start", "stop", "pause"])
async def test_a_page_of_another_site_cannot(http, what):
    evil = {"Origin": "https://evil.example"}
    assert (await http.post(f"/strategies/mine/{what}", headers=evil)).status_code == 415
    assert (await http.post(f"/strategies/mine/{what}", headers=evil | JSON)).status_code != 415


async def test_a_store_that_is_full(running, http):
    running.desk.error = StoreError("the disk is full")
    answer = await http.post("/strategies/mine/start")
    assert (answer.status_code, answer.json()["code"]) == (503, "STORE_ERROR")
    assert answer.headers["Retry-After"] == "1"


async def test_a_program_that_does_not_exist(run):
    running = await run(shell("mine")._replace(command=("/nowhere",)))
    async with client(running) as http:
        answer = await http.post("/strategies/mine/start")
        assert (answer.status_code, answer.json()["code"]) == (409, "STRATEGY_FAILED")
        found = (await http.get("/strategies/mine")).json()
        assert found["status"] == "FAILED"
        assert "No such file" in found["last_exit"]


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 401), ("x", 401), ("user", 403), ("strategies", 200), ("admin", 200)],
)
async def test_a_claim_is_needed(running, token, status):
    bearer = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with client(running, Tokens(), headers=bearer) as http:
        for method, path in (
            ("GET", "/strategies"),
            ("GET", "/strategies/mine"),
            ("GET", "/strategies/mine/log"),
        ):
            assert (await http.request(method, path)).status_code == status
        for what in ("start", "pause", "stop"):
            assert (await http.post(f"/strategies/mine/{what}")).status_code == status


async def test_who_owns_the_account_may_look(running):
    async with client(running, Tokens(), headers={"Authorization": "Bearer owner"}) as http:
        assert (await http.get("/strategies")).status_code == 200
        assert (await http.get("/strategies/mine")).status_code == 200
        assert (await http.get("/strategies/mine/log")).status_code == 403
        assert (await http.post("/strategies/mine/start")).status_code == 403
