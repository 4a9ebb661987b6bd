"""Which desk a request gets, and as whom."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from fastrouter.control.desks import Desks
from fastrouter.control.guard import Guard
from fastrouter.control.problem import Problem
from fastrouter.errors import AuthError, MessageError

from .memory import MemoryDesk


class Tokens:
    """Takes ``ada``, ``bob``, ``admin`` and ``ma``, a strategy's; ada and ma have ``paper``."""

    def verify(self, token: str, now_s: float) -> Any:
        if token not in ("ada", "bob", "admin", "ma"):
            raise AuthError("no such token")
        accounts = ("paper", "other") if token in ("ada", "ma") else (token,)
        return SimpleNamespace(
            subject=token,
            accounts=accounts,
            admin=token == "admin",
            strategy_id="ma" if token == "ma" else None,
        )


def request(token: str | None = None, **path: str) -> Request:
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    return Request({"type": "http", "headers": headers, "path_params": path})


def desks(*, auth: bool = True, **more: Any) -> Desks:
    guard = Guard(Tokens() if auth else None, lambda: 0.0, ())
    return Desks(guard, **more)


async def refused(desks: Desks, request: Request) -> tuple[int, Any]:
    with pytest.raises(Problem) as caught:
        await desks.find(request)
    return caught.value.status, caught.value.code


async def test_the_live_one_is_for_those_who_have_its_account():
    live = MemoryDesk()
    found = desks(live=live)
    for token in ("ada", "admin"):
        access = await found.find(request(token))
        assert (access.desk, access.strategy_id, access.only) == (live, "", None)
    assert await refused(found, request("bob")) == (403, "FORBIDDEN")
    assert await refused(found, request("eve")) == (401, "NOT_AUTHENTICATED")
    assert await refused(found, request()) == (401, "NOT_AUTHENTICATED")
    assert (await desks(auth=False, live=live).find(request())).desk is live


async def test_alpacas_pair_of_headers():
    found = desks(live=MemoryDesk())
    pair = [(b"apca-api-key-id", b"key"), (b"apca-api-secret-key", b"ada")]
    ask = Request({"type": "http", "headers": pair, "path_params": {}})
    assert (await found.find(ask)).only is None
    both = [(b"authorization", b"Bearer eve"), *pair]
    ask = Request({"type": "http", "headers": both, "path_params": {}})
    assert await refused(found, ask) == (401, "NOT_AUTHENTICATED")
    ask = Request({"type": "http", "headers": pair[:1], "path_params": {}})
    assert await refused(found, ask) == (401, "NOT_AUTHENTICATED")


async def test_there_may_be_none():
    assert await refused(desks(), request("ada")) == (404, "NO_ACCOUNT")
    assert await refused(desks(), request("ada", run_id="r")) == (404, "NO_SUCH_RUN")


async def test_a_runs_is_for_whom_the_engine_says():
    theirs, asked = MemoryDesk(), []

    def run(run_id: str, subject: str | None) -> MemoryDesk:
        asked.append((run_id, subject))
        if run_id == "gone":
            raise MessageError("there is no run 'gone'", code="NO_SUCH_RUN")
        if subject == "bob":
            raise MessageError("run r is another's", code="FORBIDDEN")
        return theirs

    found = desks(run=run)
    for token in ("ada", "admin"):
        assert (await found.find(request(token, run_id="r"))).desk is theirs
    assert await refused(found, request("bob", run_id="r")) == (403, "FORBIDDEN")
    assert await refused(found, request("ada", run_id="gone")) == (404, "NO_SUCH_RUN")
    await desks(auth=False, run=run).find(request(run_id="r"))
    assert asked == [("r", "ada"), ("r", None), ("r", "bob"), ("gone", "ada"), ("r", None)]


async def test_a_gate_refuses_strategies():
    asked = []

    def gate(strategy_id: str, acts: bool) -> None:
        asked.append((strategy_id, acts))
        if strategy_id == "unknown":
            raise Problem(404, "no such strategy", code="UNKNOWN_STRATEGY")
        if strategy_id == "paused" and acts:
            raise Problem(403, "it is paused", code="STRATEGY_PAUSED")

    found = desks(live=MemoryDesk(), gate=gate)
    ask = request("ada", strategy_id="unknown")
    assert await refused(found, ask) == (404, "UNKNOWN_STRATEGY")
    access = await found.find(request("ada", strategy_id="paused"))
    assert (access.strategy_id, access.only) == ("paused", "paused")
    with pytest.raises(Problem, match="it is paused"):
        access.check("paused")
    account = await found.find(request("ada"))
    account.check("")
    with pytest.raises(Problem, match="it is paused"):
        account.check("paused")
    assert asked == [("unknown", False), ("paused", False), ("paused", True), ("paused", True)]


async def test_a_strategys_token_is_that_strategys_everywhere():
    asked = []

    def gate(strategy_id: str, acts: bool) -> None:
        asked.append((strategy_id, acts))

    found = desks(live=MemoryDesk(), gate=gate, run=lambda run_id, subject: MemoryDesk())
    for ask in (request("ma"), request("ma", strategy_id="ma")):
        access = await found.find(ask)
        assert (access.strategy_id, access.only) == ("ma", "ma")
        for body in ([], None, {}, *({"strategy_id": one} for one in ("ma", None, 7))):
            access.check_said(body)
        for other in ("other", ""):
            with pytest.raises(Problem, match="the token is of strategy 'ma'") as caught:
                access.check_said({"strategy_id": other})
            assert (caught.value.status, caught.value.code) == (403, "FORBIDDEN")
            assert "allowed: 'ma'" in str(caught.value)
    assert asked == [("ma", False), ("ma", False)]
    assert await refused(found, request("ma", strategy_id="other")) == (403, "FORBIDDEN")
    assert len(asked) == 2  # whether there is that other is not told
    run = await found.find(request("ma", run_id="r"))
    run.check_said({"strategy_id": "other"})
    (await found.find(request("ada"))).check_said({"strategy_id": "other"})
