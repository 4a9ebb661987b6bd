"""What the token of a strategy's process lets it do, over the wire: be that strategy."""

from __future__ import annotations

from pathlib import Path

import httpx

from fastrouter import app

from ..net.wire import until
from ..tokens import SECRET, hs256
from .test_strategies import options
from .visit import Visitor

PROGRAM = "echo $PROXY_TOKEN; trap 'exit 0' TERM; while :; do sleep 0.02; done"
OPERATOR = {"Authorization": f"Bearer {hs256(strategies=True, accounts=['default'])}"}
BUY = {"symbol": "AAPL", "side": "buy", "qty": "1", "type": "market", "time_in_force": "gtc"}
SIGNAL = {"symbol": "AAPL", "action": "BUY"}
BOTH = ("/v2/orders", "/v1/strategies/mine/v2/orders")


async def token_of(http: httpx.AsyncClient, logs: Path, strategy_id: str) -> str:
    """Start it; the token that its process found."""
    answer = await http.post(f"/v1/strategies/{strategy_id}/start", headers=OPERATOR)
    assert answer.status_code == 200, answer.text
    log = logs / f"{strategy_id}.log"
    await until(lambda: log.exists() and log.read_text().endswith("\n"))
    return log.read_text().strip()


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def serve(tmp_path: Path, visit, **more: object) -> None:
    visitor = Visitor(visit)
    found = options(
        tmp_path,
        ["/bin/sh", "-c", PROGRAM],
        strategies__other__command=["/bin/sh", "-c", PROGRAM],
        strategies__other__real_trading=True,
        auth__secret=SECRET.decode(),
        **more,
    )
    app.serve(found, ready=visitor)
    visitor.task.result()


def test_its_limits_and_its_pause_hold_on_every_way_to_the_account(tmp_path):
    async def visit(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            token = await token_of(http, tmp_path / "state.db-strategies", "mine")
            its = {"Authorization": f"Bearer {token}"}
            for path in BOTH:
                answer = await http.post(path, json=BUY, headers=its)
                assert code_of(answer) == (403, "REAL_TRADING")
            await http.post("/v1/strategies/mine/pause", headers=OPERATOR)
            for path in BOTH:
                answer = await http.post(path, json=BUY, headers=its)
                assert code_of(answer) == (403, "STRATEGY_PAUSED")
            answer = await http.post("/v1/signals", json=SIGNAL, headers=its)
            assert code_of(answer) == (403, "STRATEGY_PAUSED")
            assert (await http.get("/v2/positions", headers=OPERATOR)).json() == []

    serve(tmp_path, visit, broker__mode="LIVE_TRADING")


def test_it_is_no_other_strategys(tmp_path):
    async def visit(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            logs = tmp_path / "state.db-strategies"
            its = {"Authorization": f"Bearer {await token_of(http, logs, 'mine')}"}
            others = {"Authorization": f"Bearer {await token_of(http, logs, 'other')}"}
            theirs = {**BUY, "type": "limit", "limit_price": "1", "client_order_id": "theirs"}
            order_id = (await http.post("/v2/orders", json=theirs, headers=others)).json()["id"]
            named = {"strategy_id": "other"}
            for path, body in (
                *((path, {**BUY, **named}) for path in BOTH),
                ("/v1/signals", {**SIGNAL, **named}),
                ("/v1/strategies/mine/v1/signals", {**SIGNAL, **named}),
                ("/v1/strategies/other/v2/orders", BUY),
                ("/v1/strategies/nobody/v2/orders", BUY),
                ("/v1/strategies/other/v1/signals", SIGNAL),
                ("/v1/events", {"kind": "signal", "payload": {**SIGNAL, "id": "s", **named}}),
                *((f"/v1/strategies/mine/{what}", {}) for what in ("start", "stop", "pause")),
                *((f"/v1/risk/{what}", {}) for what in ("kill", "revive")),
                ("/v1/jobs", {"strategy": "mine", "dataset": "x"}),
            ):
                answer = await http.post(path, json=body, headers=its)
                assert code_of(answer) == (403, "FORBIDDEN"), path
            answer = await http.post("/v2/orders", json={**BUY, **named}, headers=its)
            assert answer.json()["message"] == (
                "the token is of strategy 'mine', which acts as itself alone: "
                "strategy_id is 'other'; allowed: 'mine'"
            )
            assert (await http.get("/v2/orders", headers=its)).json() == []
            assert (await http.get("/v2/orders", headers=others)).json()[0]["id"] == order_id
            where = f"/v2/orders/{order_id}"
            for answer in (
                await http.get(where, headers=its),
                await http.delete(where, headers=its),
                await http.patch(where, json={"qty": "2"}, headers=its),
            ):
                assert answer.status_code == 404
            answer = await http.patch(where, json={"qty": "2", **named}, headers=its)
            assert code_of(answer) == (403, "FORBIDDEN")
            assert (await http.delete("/v2/orders", headers=its)).json() == []
            assert (await http.delete("/v2/positions", headers=its)).json() == []
            answer = await http.post("/v1/signals", json=SIGNAL, headers=its)
            assert answer.status_code == 202
            assert (await http.delete(where, headers=others)).status_code == 204

    serve(tmp_path, visit)
