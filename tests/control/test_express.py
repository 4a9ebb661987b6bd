"""What is submitted past the framework is answered as within it."""

from __future__ import annotations

import itertools
import json
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from fastrouter.control.body import MOST_BYTES
from fastrouter.control.desks import Desks
from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem
from fastrouter.control.rest import build
from fastrouter.control.trading import trading
from fastrouter.control.trading.express import Express
from fastrouter.errors import OrderError
from fastrouter.session.auth import Grant, Verifier

from ..tokens import SECRET, hs256
from .memory import MemoryDesk

JSON = {"Content-Type": "application/json"}
BUY = {"symbol": "AAPL", "qty": "10", "side": "buy"}
NOW = 1_000_000
PATHS = (
    *("/v2/orders", "/v1/strategies/ma/v2/orders", "/v1/strategies/a%20b/v2/orders"),
    *("/v1/runs/r1/v2/orders", "/v1/runs/none/v2/orders", "/v1/strategies/a%2Fb/v2/orders"),
    *("/v2/orders/", "/v1/strategies//v2/orders", "/v2/orders?x=1", "/V2/orders", "/v2/orders%0A"),
)
BODIES = (
    *(BUY, {**BUY, "client_order_id": "mine"}, {**BUY, "qty": "1e99"}, {**BUY, "side": "up"}),
    *({**BUY, "symbol": "NONE"}, {**BUY, "strategy_id": "other"}, [], None, "x" * (MOST_BYTES + 1)),
)
ISSUED = "issued"  # by us, to a strategy's process
TOKENS = (None, "nonsense", hs256(exp=NOW + 9, accounts=["paper"]), ISSUED)


def served(verifier: Verifier | None) -> tuple[FastAPI, Desks]:
    desk = MemoryDesk()
    desk.quote("S:AAPL", 150, 150.5)
    guard = Guard(verifier, lambda: NOW, ())

    def gate(strategy_id: str, acts: bool) -> None:
        if strategy_id != "ma":
            raise Problem(HTTPStatus.NOT_FOUND, "no such strategy", code="NO_SUCH_STRATEGY")

    def run(run_id: str, subject: str | None) -> MemoryDesk:
        if run_id != "r1":
            raise OrderError("no such run", code="NO_SUCH_RUN")
        return desk

    desks = Desks(guard, desk, run, gate)
    return build([trading(desks)]), desks


async def answers(app: Any, token: str | None) -> list[tuple[int, dict[str, str], Any]]:
    """Of every body at every path, by every method."""
    found = []
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        for path, body in itertools.product(PATHS, BODIES):
            headers = JSON if token is None else {**JSON, "Authorization": f"Bearer {token}"}
            found.append(await client.post(path, content=json.dumps(body), headers=headers))
            found.append(await client.post(path, content=json.dumps(body)))
        for path, method in itertools.product(PATHS, ("GET", "PUT", "DELETE", "HEAD", "OPTIONS")):
            found.append(await client.request(method, path))
    return [(one.status_code, dict(one.headers), one.text) for one in found]


@pytest.mark.parametrize("token", TOKENS)
async def test_it_answers_as_the_application_does(token):
    verifier = None if token is None else Verifier(secret=SECRET)
    if verifier is not None and token == ISSUED:
        token = verifier.issue(Grant("ma", ("paper",), None, strategy_id="ma"))
    plain, _ = served(verifier)
    app, desks = served(verifier)
    expected = await answers(plain, token)
    assert await answers(Express(app, desks), token) == expected
    statuses = {status for status, _, _ in expected}
    assert (200 in statuses) == (token != "nonsense")


@pytest.mark.parametrize("path", ["/v2/orders", "/v1/runs/r1/v2/orders", "/nope"])
async def test_a_line_end_is_part_of_a_path(path):
    app, desks = served(None)
    for one in (app, Express(app, desks)):
        transport = httpx.ASGITransport(one)
        async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
            answer = await client.post(f"{path}%0a", json=BUY)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_our_own_fault_is_a_500_and_is_raised(monkeypatch):
    app, desks = served(None)
    monkeypatch.setattr(desks.live, "change", None)
    for one in (app, Express(app, desks)):
        for raised in (False, True):
            transport = httpx.ASGITransport(one, raise_app_exceptions=raised)
            async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
                if raised:
                    with pytest.raises(TypeError):
                        await client.post("/v2/orders", json=BUY)
                else:
                    answer = await client.post("/v2/orders", json=BUY)
                    assert answer.status_code == 500
                    assert answer.json()["code"] == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize("express", [True, False])
async def test_a_strategys_token_orders_as_that_strategy_and_no_other(express):
    verifier = Verifier(secret=SECRET)
    token = verifier.issue(Grant("ma", ("paper",), None, strategy_id="ma"))
    app, desks = served(verifier)
    transport = httpx.ASGITransport(Express(app, desks) if express else app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://rest", headers=headers
    ) as client:
        for path in ("/v2/orders", "/v1/strategies/ma/v2/orders"):
            for body in (BUY, {**BUY, "strategy_id": "ma"}):
                answer = await client.post(path, json=body)
                assert answer.json()["strategy_id"] == "ma", answer.text
            answer = await client.post(path, json={**BUY, "strategy_id": "other"})
            assert (answer.status_code, answer.json()) == (403, REFUSED)
        answer = await client.post("/v1/strategies/other/v2/orders", json=BUY)
        assert (answer.status_code, answer.json()) == (403, REFUSED)


REFUSED = {
    "code": "FORBIDDEN",
    "message": "the token is of strategy 'ma', which acts as itself alone: "
    "strategy_id is 'other'; allowed: 'ma'",
}
