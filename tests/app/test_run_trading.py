"""Orders of a backtest by REST, in the whole server: what they bring about is told in the run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from fastrouter import app, trading
from fastrouter.client.trading import Trading

from ..net.wire import HEADERS, Wire
from .visit import Visitor, settings

ROWS = """time,symbol,bid,ask
2025-01-01T00:00:00Z,S:A,9,10
2025-01-01T00:00:01Z,S:A,19,20
2025-01-01T00:00:02Z,S:A,29,30
"""
WANTED = ",".join(
    f"*:{kind}" for kind in ("quote", "order", "trade", "position", "account", "signal")
)
ORDER = {"symbol": "A", "side": "buy", "type": "market", "time_in_force": "gtc", "qty": "2"}


@pytest.fixture
def visit(tmp_path: Path):
    (tmp_path / "days.csv").write_text(ROWS)

    def go(visiting) -> None:
        visitor = Visitor(visiting)
        wanted = {f"ports__{name}": "off" for name in ("market", "risk", "ai")}
        told = settings(
            **wanted,
            ports__rest=0,
            ports__backtest=0,
            store__path="off",
            backtest__data=str(tmp_path),
            backtest__cash=1000,
            feed__candles=[],
        )
        assert app.serve(told, ready=visitor)
        visitor.task.result()

    return go


@asynccontextmanager
async def joined(
    serving: app.Serving, query: str = ""
) -> AsyncIterator[tuple[Wire, httpx.AsyncClient]]:
    """A session of a run, and who sends its orders."""
    (url,) = (place.url for place in serving.endpoints if place.about == "backtests")
    target = f"/ws?subscriptions={WANTED}&{query}"
    wire = await Wire.open(httpx.URL(url).port, target, HEADERS)
    assert (await wire.response())[0] == 101
    run_id = (await wire.message())["run_id"]
    async with httpx.AsyncClient(base_url=f"{serving.rest}/v1/runs/{run_id}") as http:
        try:
            yield wire, http
        finally:
            await wire.bye()


async def next_of(wire: Wire, count: int) -> list[str]:
    """Acknowledge nothing."""
    return [(await wire.message())["type"] for _ in range(count)]


def ack(wire: Wire, *numbers: int) -> None:
    ids = [f"evt_{number}" for number in numbers]
    wire.say({"type": "event_ack", "correlation_id": "c", "events_processed": ids, "timestamp": 1})


def test_a_strategy_of_plain_sockets(visit):
    async def trade(serving: app.Serving) -> None:
        async with joined(serving) as (wire, http):
            assert await next_of(wire, 1) == ["quote"]
            answer = await http.post("/v2/orders", json=ORDER)
            assert answer.status_code == 200, answer.text
            assert answer.json()["status"] == "new"
            assert answer.json()["created_at"].startswith("2025-01-01T00:00:00")
            assert await next_of(wire, 1) == ["order"]
            ack(wire, 1, 2)
            assert await next_of(wire, 5) == ["quote", "order", "trade", "position", "account"]
            (position,) = (await http.get("/v2/positions")).json()
            assert (position["qty"], Decimal(position["avg_entry_price"])) == ("2", 20)
            account = (await http.get("/v2/account")).json()
            assert Decimal(account["equity"]) == 1000 - 2
            signal = {"symbol": "A", "action": "SELL"}
            said = await http.post("/v1/signals", json=signal)
            assert (said.status_code, said.json()) == (202, {"id": "evt_8"})
            assert await next_of(wire, 1) == ["signal"]
            ack(wire, *range(3, 9))
            assert await next_of(wire, 1) == ["quote"]
            ack(wire, 9)
            end = await wire.message()
            assert end["report"]["final_equity"] == 1000 - 2 * 20 + 2 * 29
            assert (await wire.closed())[0] == 1000
            late = await http.post("/v2/orders", json=ORDER)
            assert (late.status_code, late.json()["code"]) == (409, "RUN_OVER")
            assert (await http.get("/v2/positions")).json()[0]["qty"] == "2"

    visit(trade)


def lose_first_answers(desk: Trading, monkeypatch) -> None:
    """Whatever is asked, the desk has done it, and the answer comes only when it is asked again."""
    exchange = desk._rest._line.exchange
    asked: set[bytes] = set()

    async def lossy(request: bytes):
        answer = await exchange(request)
        if request not in asked:
            asked.add(request)
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(desk._rest._line, "exchange", lossy)


def test_what_the_sdk_orders_is_the_same_in_every_run(visit, monkeypatch):
    """By several processes' desks of one strategy, and with an answer that is asked for again."""
    told: list[list[bytes]] = []

    async def trade(serving: app.Serving) -> None:
        async with joined(serving) as (wire, http):
            assert await next_of(wire, 1) == ["quote"]
            url = str(http.base_url)
            async with trading(url, strategy_id="s") as one, trading(url, strategy_id="s") as two:
                lose_first_answers(one, monkeypatch)
                orders = [
                    await one.submit("A", "buy", 1, type="limit", limit_price=1),
                    await two.submit("A", "buy", 1, type="limit", limit_price=1),
                    await two.submit("A", "buy", 1, type="limit", limit_price=1),
                ]
                orders.append(await one.replace(orders[0].id, qty=2))
                await two.signal("A", "BUY")
            assert len({order.id for order in orders}) == 4
            told.append([(await wire.frame())[1] for _ in range(6)])

    visit(trade)
    visit(trade)
    assert told[0] == told[1]


def test_a_key_is_one_order(visit):
    async def trade(serving: app.Serving) -> None:
        async with joined(serving) as (_, http):
            key = {"Idempotency-Key": "k"}
            order = ORDER | {"type": "limit", "limit_price": "1"}
            first = (await http.post("/v2/orders", json=order, headers=key)).json()
            again = (await http.post("/v2/orders", json=order, headers=key)).json()
            other = (await http.post("/v2/orders", json=order)).json()
            assert first["id"] == again["id"] == first["client_order_id"] != other["id"]
            clash = await http.post("/v2/orders", json=order | {"qty": "3"}, headers=key)
            assert (clash.status_code, clash.json()["message"][:15]) == (422, "client_order_id")
            path, key = f"/v2/orders/{first['id']}", {"Idempotency-Key": "l"}
            first = (await http.patch(path, json={"qty": "5"}, headers=key)).json()
            again = (await http.patch(path, json={"qty": "5"}, headers=key)).json()
            assert first["id"] == again["id"]
            assert len((await http.get("/v2/orders")).json()) == 2

    visit(trade)


def test_a_run_that_takes_no_order_now(visit):
    async def trade(serving: app.Serving) -> None:
        async with joined(serving, "run=two&clients=2") as (_, http):
            early = await http.post("/v2/orders", json=ORDER)
            assert (early.status_code, early.json()["code"]) == (409, "RUN_NOT_BEGUN")
            signal = await http.post("/v1/signals", json={"symbol": "S:A", "action": "SELL"})
            assert (signal.is_error, signal.json()["code"]) == (True, "RUN_NOT_BEGUN")
            async with joined(serving, "run=two") as (other, _):
                assert await next_of(other, 1) == ["quote"]
                assert (await http.post("/v2/orders", json=ORDER)).status_code == 200
            answer = await http.post("/v2/orders", json=ORDER)
            while answer.status_code == 200:  # it is not known yet that one is gone
                answer = await http.post("/v2/orders", json=ORDER)
            assert (answer.status_code, answer.json()["code"]) == (409, "RUN_WAITS")

    visit(trade)


def test_there_is_no_such_run(visit):
    async def trade(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            answer = await http.get("/v1/runs/nothing/v2/account")
            assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_RUN")

    visit(trade)
