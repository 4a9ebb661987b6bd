"""Orders of the whole server: taken by REST, told on its endpoints, kept over a restart."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest
import websockets

from fastrouter import app
from fastrouter.client import connect
from fastrouter.errors import ConfigError

from .visit import Visitor, settings

ORDER = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "gtc", "qty": "10"}


def options(tmp_path, **more):
    return settings(
        feed__spec="synthetic",
        feed__synthetic__symbols=["S:AAPL"],
        feed__synthetic__rate=200.0,
        store__path=str(tmp_path / "state.db"),
        ports__market="off",
        ports__ai="off",
        ports__backtest="off",
        **more,
    )


async def told(stream, *kinds: str):
    """The next event of one of these kinds."""
    while True:
        event = await anext(stream)
        if getattr(event, "kind", "quote") in kinds:
            return event


def test_an_order_is_filled_by_the_routers_quotes_and_told_to_sessions(tmp_path):
    found = {}

    async def trade(serving: app.Serving) -> None:
        async with (
            httpx.AsyncClient(base_url=serving.rest) as http,
            connect(f"ws://127.0.0.1:{serving.port}/ws", "*:order,*:trade,*:quote") as stream,
        ):
            await told(stream, "quote")  # there is a market
            answer = await http.post("/v2/orders", json=ORDER)
            assert answer.status_code == 200, answer.text
            assert answer.json()["status"] in ("filled", "partially_filled")  # by the last quote
            said: list[str] = []
            while said[-2:] != ["ORDER_FILLED", "trade"]:
                event = await told(stream, "order", "trade")
                said.append(event.payload.get("event", event.kind))
            assert said[0] == "ORDER_ACCEPTED"
            (position,) = (await http.get("/v2/positions")).json()
            assert Decimal(position["qty"]) == 10
            found["order"] = answer.json()["id"]

    async def look(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            order = (await http.get(f"/v2/orders/{found['order']}")).json()
            assert order["status"] == "filled"
            (position,) = (await http.get("/v2/positions")).json()
            assert Decimal(position["qty"]) == 10

    for visit in (trade, look):
        visitor = Visitor(visit)
        assert app.serve(options(tmp_path), ready=visitor)
        visitor.task.result()


def test_the_risk_guardian(tmp_path):
    """By HTTP and at its port: killed, told, refused, revived."""

    async def guard(serving: app.Serving) -> None:
        url = next(place.url for place in serving.endpoints if place.about == "risk and orders")
        async with (
            httpx.AsyncClient(base_url=serving.rest) as http,
            connect(f"ws://127.0.0.1:{serving.port}/ws", "S:AAPL:quote") as stream,
            websockets.connect(url) as session,
        ):
            await told(stream, "quote")
            await session.send(json.dumps({"type": "get_risk_status"}))
            status = await said(session, "risk_status")
            assert status["data"]["killed"] is False
            assert (await http.post("/v1/risk/kill", json={"reason": "test"})).is_success
            breach = await said(session, "risk_limit_breached")
            assert breach["data"]["rule"] == "killSwitch"
            refused = await http.post("/v2/orders", json=ORDER)
            assert refused.status_code == 403
            assert refused.json()["code"] == "KILL_SWITCH"
            order = await said(session, "order")
            assert order["data"]["status"] == "rejected"
            assert (await http.post("/v1/risk/revive")).json()["killed"] is False
            off = (await said(session, "risk_status"))["data"]
            assert (off["rule"], off["severity"]) == ("killSwitch", "INFO")
            assert off["message"] == "the kill switch is off"
            assert (await http.post("/v2/orders", json=ORDER)).status_code == 200

    visitor = Visitor(guard)
    assert app.serve(options(tmp_path), ready=visitor)
    visitor.task.result()


async def said(session, kind: str) -> dict:
    """The next message of that type."""
    while True:
        message = json.loads(await session.recv())
        if message["type"] == kind:
            return message


def test_a_store_in_use_is_a_clear_error(tmp_path):
    async def second(serving: app.Serving) -> None:
        kept = f"kept in {tmp_path / 'state.db'}"
        assert serving.account == f"account default, PAPER_TRADING, {kept}"
        with pytest.raises(ConfigError, match=r"in use by another server; .* --store") as caught:
            app.open_store(options(tmp_path).store)
        assert caught.value.code == "STORE_LOCKED"

    visitor = Visitor(second)
    app.serve(options(tmp_path), ready=visitor)
    visitor.task.result()


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("broker__kind", "pigeon", "broker.kind = 'pigeon' is not registered; allowed: paper"),
        ("broker__cash", "-1", "broker.cash"),
        ("broker__commission", "per_moon=1", "broker.commission"),
        ("broker__session_end", "25:00", "broker.session_end"),
    ],
)
def test_terms_that_cannot_be_are_named(tmp_path, key, value, complaint):
    with pytest.raises(ConfigError, match=complaint):
        app.serve(options(tmp_path, **{key: value}))


def test_an_account_keeps_its_currency(tmp_path):
    visitor = Visitor()
    assert app.serve(options(tmp_path), ready=visitor)
    with pytest.raises(ConfigError, match="account default is in USD, not EUR"):
        app.serve(options(tmp_path, broker__currency="EUR"))
