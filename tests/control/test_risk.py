"""The risk guardian by HTTP, and by command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from fastrouter.broker import Limits, Rules
from fastrouter.control.guard import Guard
from fastrouter.control.problem import answer_problems
from fastrouter.control.risk import CLAIMS, router
from fastrouter.control.risk_status import RiskCommands
from fastrouter.control.terms import Terms
from fastrouter.errors import AuthError, MessageError, StoreError

from .trader import Trader


class Verifier:
    """Takes the names of claims as tokens."""

    def verify(self, token, now_s):
        if token not in ("admin", "strategies", "user", "owner"):
            raise AuthError("the token has expired", code="TOKEN_EXPIRED")
        return SimpleNamespace(
            admin=token == "admin",
            strategies=token == "strategies",
            accounts=("default",) if token == "owner" else (),
        )


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    async with Trader(None, Terms(rules=Rules(max_daily_loss=500))) as opened:
        opened.quote()
        yield opened


def client(trader: Trader, verifier: Verifier | None = None) -> httpx.AsyncClient:
    app = FastAPI()
    answer_problems(app)
    app.include_router(router(trader.desk, Guard(verifier, lambda: 0.0, CLAIMS)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://x")


@pytest.fixture
async def http(trader) -> AsyncIterator[httpx.AsyncClient]:
    async with client(trader) as found:
        yield found


async def test_where_each_limit_stands(trader, http):
    limits = Limits.parse({"maxPositionValue": 5000, "maxOrdersPerMinute": 3})
    await trader.do(lambda broker, now: broker.limit("s-1", limits, now))
    await trader.submit(strategy_id="s-1")
    found = (await http.get("/v1/risk")).json()
    assert {name: found[name] for name in found if name != "limits"} == {
        "account_id": "default",
        "mode": "PAPER_TRADING",
        "killed": False,
        "equity": "100000",
        "day_loss": "0",
    }
    stand = {one["rule"]: (one["limit"], one["value"]) for one in found["limits"]}
    assert stand == {
        "killSwitch": ("1", "0"),
        "maxDailyLoss": ("500", "0"),
        "maxPositionValue": ("5000", "0"),
        "maxOrdersPerMinute": ("3", "1"),
    }


async def test_the_kill_switch(trader, http):
    resting = await trader.submit(type="limit", limit_price="1")
    answer = await http.post("/v1/risk/kill", json={"reason": "the phone rings"})
    assert answer.status_code == 200
    assert answer.json()["killed"] is True
    assert trader.order(resting).status == "canceled"
    refused = await trader.submit()
    assert (refused.status, refused.code) == ("rejected", "KILL_SWITCH")
    (first, *_) = [payload for kind, payload in trader.events() if kind == "risk"]
    assert first["message"] == "the kill switch is on: the phone rings"
    assert (await http.post("/v1/risk/revive")).json()["killed"] is False
    assert (await trader.submit()).status == "accepted"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {}, 200),
        (b"nonsense", {}, 400),
        (b'{"reason": ""}', {}, 422),
        (b'{"reason": 7}', {}, 422),
        (b'{"why": "x"}', {}, 422),
        (b"[]", {}, 422),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b'"' + b"x" * (2 << 20) + b'"', {}, 413),
    ],
)
async def test_reasons_that_are_none(trader, http, body, headers, status):
    headers = {"Content-Type": "application/json"} | headers
    answer = await http.post("/v1/risk/kill", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert trader.broker.ledger.account.killed is (status == 200)
    if status != 200:
        assert set(answer.json()) == {"code", "message"}


async def test_no_reason_need_be_given_but_a_page_has_to_say_what_it_sends(trader, http):
    page = {"Origin": "https://evil"}
    for path in ("kill", "revive"):
        assert (await http.post(f"/v1/risk/{path}", headers=page)).status_code == 415
        text = page | {"Content-Type": "text/plain"}
        assert (await http.post(f"/v1/risk/{path}", headers=text)).status_code == 415
    assert trader.broker.ledger.account.killed is False
    assert (await http.post("/v1/risk/kill")).json()["killed"] is True
    (said, *_) = [payload for kind, payload in trader.events() if kind == "risk"]
    assert said["message"] == "the kill switch is on: by hand"
    assert (await http.post("/v1/risk/revive")).json()["killed"] is False
    page |= {"Content-Type": "application/json"}
    assert (await http.post("/v1/risk/kill", headers=page)).json()["killed"] is True


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 401), ("nobody", 401), ("user", 403), ("strategies", 200), ("admin", 200)],
)
async def test_who_may(trader, token, status):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with client(trader, Verifier()) as http:
        for method, path in (("GET", ""), ("POST", "/kill"), ("POST", "/revive")):
            answer = await http.request(method, f"/v1/risk{path}", json={}, headers=headers)
            assert answer.status_code == status
    assert trader.broker.ledger.account.killed is False


async def test_who_owns_the_account_may_look(trader):
    async with client(trader, Verifier()) as http:
        http.headers["Authorization"] = "Bearer owner"
        assert (await http.get("/v1/risk")).status_code == 200
        assert (await http.post("/v1/risk/revive")).status_code == 403
        http.headers["Authorization"] = "Bearer user"
        said = (await http.get("/v1/risk")).json()["message"]
        assert said == (
            "the token's claim 'strategies' or 'admin' is not true, "
            "and its 'accounts' do not name 'default'"
        )


async def test_a_store_that_takes_nothing_is_503(trader, http, monkeypatch):
    async def fail(call):
        raise StoreError("no room")

    monkeypatch.setattr(trader.desk, "change", fail)
    answer = await http.post("/v1/risk/revive")
    assert answer.status_code == 503
    assert answer.json() == {"code": "STORE_ERROR", "message": "no room"}
    assert answer.headers["Retry-After"] == "1"


async def test_what_cannot_be_had_is_503_as_openapi_says(trader, http, monkeypatch):
    async def fail():
        raise StoreError("no room")

    monkeypatch.setattr(trader.desk, "settled", fail)
    paths = (await http.get("/openapi.json")).json()["paths"]
    for method, path in (
        ("GET", "/v1/risk"),
        ("POST", "/v1/risk/kill"),
        ("POST", "/v1/risk/revive"),
    ):
        assert (await http.request(method, path)).status_code == 503
        assert "503" in paths[path][method.lower()]["responses"]


# ------------------------------------------------------------------ by command


class Session:
    def __init__(self, grant=None) -> None:
        self.grant = grant
        self.answers: list[tuple] = []

    def answer(self, kind, data) -> None:
        self.answers.append((kind, data))


async def test_the_command_is_answered_with_numbers(trader):
    session = Session()
    RiskCommands(trader.desk).command(session, "get_risk_status", {})
    ((kind, data),) = session.answers
    assert kind == "risk_status"
    assert (data["equity"], data["day_loss"]) == (100_000, 0)
    switch, loss = data["limits"]
    assert switch == {
        "rule": "killSwitch",
        "account_id": "default",
        "limit": 1,
        "value": 0,
        "message": "off",
        "severity": "INFO",
        "recoverable": True,
    }
    assert (loss["rule"], loss["limit"]) == ("maxDailyLoss", 500)


@pytest.mark.parametrize(
    ("grant", "may"),
    [
        ({"accounts": ("default",)}, True),
        ({"accounts": ("other",)}, False),
        ({"accounts": ("other",), "strategies": True}, True),
        ({"accounts": ("other",), "admin": True}, True),
    ],
)
async def test_whose_figures_they_are(trader, grant, may):
    session = Session(SimpleNamespace(**{"admin": False, "strategies": False} | grant))
    commands = RiskCommands(trader.desk)
    if may:
        commands.command(session, "get_risk_status", {})
        assert len(session.answers) == 1
        return
    with pytest.raises(MessageError, match="'default'") as caught:
        commands.command(session, "get_risk_status", {})
    assert caught.value.code == "FORBIDDEN"


# ------------------------------------------------------------------ breaches


async def test_each_limit_is_told_with_its_figures(trader):
    limits = Limits.parse({"maxPositionValue": 500, "maxOrdersPerMinute": 1})
    await trader.do(lambda broker, now: broker.limit("s-1", limits, now))
    large = await trader.submit(strategy_id="s-1")
    assert (large.status, large.code) == ("rejected", "MAX_POSITION_VALUE")
    assert large.reason == "MAX_POSITION_VALUE: the position would be worth 1010; allowed: 500"
    assert (await trader.submit(strategy_id="s-1", qty="1")).status == "accepted"
    late = await trader.submit(strategy_id="s-1", qty="1")
    assert late.code == "MAX_ORDERS_PER_MINUTE"
    assert late.reason == "MAX_ORDERS_PER_MINUTE: 2 orders in a minute; allowed: 1"
    told = [payload for kind, payload in trader.events() if kind == "risk"]
    assert [(one["event"], one["rule"], one["limit"], one["value"]) for one in told] == [
        ("limit_breached", "maxPositionValue", "500", "1010"),
        ("limit_breached", "maxOrdersPerMinute", "1", "2"),
    ]


async def test_the_days_loss_is_told_once_over_restarts(tmp_path):
    def told(trader):
        return [p["value"] for kind, p in trader.events() if kind == "risk"]

    terms = Terms(rules=Rules(max_daily_loss=500))
    async with Trader(tmp_path, terms) as trader:
        trader.quote(bid=100, ask=100)
        await trader.submit()
        trader.quote(bid=100, ask=100)
        trader.quote(bid=50, ask=51)
        trader.quote(bid=40, ask=41)
        await trader.met()
        assert told(trader) == ["500"]
        async with client(trader) as http:
            limits = (await http.get("/v1/risk")).json()["limits"]
        assert [one["severity"] for one in limits] == ["INFO", "ERROR"]
    async with Trader(tmp_path, terms) as trader:
        trader.quote(bid=30, ask=31)
        await trader.met()
        assert told(trader) == []


async def test_a_stop_loss_orders_the_close(trader):
    limits = Limits.parse({"stopLossPercentage": 0.1})
    await trader.do(lambda broker, now: broker.limit("s-1", limits, now))
    await trader.submit(strategy_id="s-1")
    trader.quote(bid=100, ask=100)
    trader.quote(bid=80, ask=81)
    trader.quote(bid=79, ask=80)
    await trader.met()
    assert trader.broker.ledger.positions == {}
    (breach,) = [payload for kind, payload in trader.events() if kind == "risk"]
    assert (breach["rule"], breach["severity"]) == ("stopLossPercentage", "ERROR")
    *_, closing = [p for kind, p in trader.events() if kind == "order"]
    assert closing["metadata"]["code"] == "STOP_LOSS"
    assert closing["status"] == "filled"
