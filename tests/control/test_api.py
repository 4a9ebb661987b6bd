"""The control port's routes, called without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from fastrouter.control.api import REASON, build
from fastrouter.control.guard import Guard

from .fakes import FakeSessions, FakeVerifier, View


@pytest.fixture
def sessions() -> FakeSessions:
    return FakeSessions(*(View(f"ses_{n:02d}") for n in range(5)))


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("fastrouter_test", "of a test", registry=registry)
    return registry


def client(sessions, registry, verifier=None) -> httpx.AsyncClient:
    app = build(sessions, registry, Guard(verifier, lambda: 0.0))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://control")


@pytest.fixture
async def http(sessions, registry) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sessions, registry) as found:
        yield found


async def test_healthz(http):
    assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_metrics_are_prometheus_text(http):
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "fastrouter_test_total 0.0" in answer.text


async def test_one_session(http, sessions):
    sessions.views["ses_x"] = View(
        "ses_x", subject="ann", backlog=3, conflated=2, last_ack=1_700_000_001_500_000_000
    )
    assert (await http.get("/sessions/ses_x")).json() == {
        "id": "ses_x",
        "address": "10.0.0.1",
        "dialect": "trading-api",
        "path": "/ws",
        "subject": "ann",
        "strategy_id": None,
        "subscriptions": ["S:A:quote"],
        "backlog": 3,
        "conflated": 2,
        "delivered": 7,
        "connected_at": "2023-11-14T22:13:20Z",
        "last_ack": "2023-11-14T22:13:21.500000Z",
    }


async def test_pages(http):
    seen, after = [], ""
    while after is not None:
        page = (await http.get("/sessions", params={"limit": 2, "after": after})).json()
        assert len(page["sessions"]) <= 2
        seen += [session["id"] for session in page["sessions"]]
        after = page["next"]
    assert seen == [f"ses_{n:02d}" for n in range(5)]


async def test_a_page_that_just_fits_is_the_last(http):
    page = (await http.get("/sessions?limit=5")).json()
    assert (len(page["sessions"]), page["next"]) == (5, None)


async def test_filters_are_handed_on(http, sessions):
    await http.get("/sessions?dialect=dgbit&address=10.0.0.1&limit=1000")
    assert sessions.asked == [("", 1001, "dgbit", "10.0.0.1")]


async def test_a_session_is_closed_once(http, sessions):
    assert (await http.delete("/sessions/ses_01")).status_code == 204
    again = await http.delete("/sessions/ses_01")
    assert again.status_code == 404
    assert again.json() == {"code": "NOT_FOUND", "message": "no session 'ses_01'"}
    assert sessions.closed[0] == ("ses_01", REASON)


@pytest.mark.parametrize(
    ("method", "target", "status", "code", "said"),
    [
        ("GET", "/nope", 404, "NOT_FOUND", "GET /nope: not found"),
        ("POST", "/sessions", 405, "METHOD_NOT_ALLOWED", "POST /sessions"),
        ("GET", "/sessions/ses_99", 404, "NOT_FOUND", "no session 'ses_99'"),
        (
            "GET",
            "/sessions?limit=1001",
            400,
            "BAD_REQUEST",
            "limit is '1001'; input should be less",
        ),
        ("GET", "/sessions?limit=0", 400, "BAD_REQUEST", "limit is '0'; input should be greater"),
        ("GET", "/sessions?limit=x", 400, "BAD_REQUEST", "limit is 'x'; input"),
        ("GET", "/docs", 404, "NOT_FOUND", "/docs"),
    ],
)
async def test_errors_have_one_form(http, method, target, status, code, said):
    answer = await http.request(method, target)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message"}
    assert answer.json()["code"] == code
    assert said in answer.json()["message"]


async def test_our_own_fault_has_it_too(http, sessions):
    sessions.views["ses_00"] = None
    answer = await http.get("/sessions")
    assert answer.status_code == 500
    assert answer.json() == {"code": "INTERNAL_SERVER_ERROR", "message": "see the server's log"}


ROUTES = [
    ("GET", "/metrics"),
    ("GET", "/sessions"),
    ("GET", "/sessions/x"),
    ("DELETE", "/sessions/x"),
]


@pytest.mark.parametrize(("method", "target"), ROUTES)
@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 401, "NOT_AUTHENTICATED"),
        ("Basic admin", 401, "NOT_AUTHENTICATED"),
        ("Bearer ", 401, "NOT_AUTHENTICATED"),
        ("Bearer old", 401, "TOKEN_EXPIRED"),
        ("Bearer user", 403, "FORBIDDEN"),
    ],
)
async def test_with_auth_on_only_admins_get_in(
    sessions, registry, method, target, header, status, code
):
    async with client(sessions, registry, FakeVerifier()) as http:
        headers = {} if header is None else {"Authorization": header}
        answer = await http.request(method, target, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert not sessions.asked
    assert not sessions.closed


async def test_an_admin_gets_in_and_anybody_may_ask_for_health(sessions, registry):
    async with client(sessions, registry, FakeVerifier()) as http:
        admin = {"Authorization": "bearer admin"}
        assert (await http.get("/sessions", headers=admin)).status_code == 200
        assert (await http.get("/sessions?token=admin")).status_code == 401
        assert (await http.get("/healthz")).status_code == 200
