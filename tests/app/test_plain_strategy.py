"""A strategy's program that knows nothing of us but its environment, and a WebSocket library."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

from fastrouter import app

from ..net.wire import until
from ..tokens import SECRET, hs256
from .test_strategies import options
from .visit import Visitor

#: says what its session is subscribed to
PLAIN = """
import asyncio, json, os, websockets
async def main():
    token = os.environ.get("PROXY_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = os.environ["PROXY_WS_URL"]
    async with websockets.connect(url, additional_headers=headers) as ws:
        await ws.send(json.dumps({"type": "subscribe", "subscriptions": []}))
        while (message := json.loads(await ws.recv()))["type"] != "subscribed":
            pass
        print(",".join(message["subscriptions"]), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("auth", [{}, {"auth__secret": SECRET.decode()}])
def test_it_gets_what_is_configured_and_what_it_was_started_with(tmp_path: Path, auth):
    bearer = {"Authorization": f"Bearer {hs256(strategies=True)}"}

    async def visit(serving: app.Serving) -> None:
        log = tmp_path / "state.db-strategies" / "mine.log"
        async with httpx.AsyncClient(
            base_url=f"{serving.rest}/v1/strategies/mine", headers=bearer
        ) as http:
            for config in ({}, {"symbols": ["S:AAPL"], "dataResolution": "5m"}):
                before = log.read_text() if log.exists() else ""
                assert (await http.post("/start", json=config)).status_code == 200
                await until(lambda b=before: log.exists() and len(log.read_text()) > len(b) + 5)
                assert (await http.post("/stop")).status_code == 200
        said = [line for line in log.read_text().splitlines() if ":" in line]
        assert said[0] == "S:*:quote,S:*:candle@1s"
        assert "S:AAPL:quote,S:AAPL:candle@5m" in said

    visitor = Visitor(visit)
    wanted = "S:*:quote,S:*:candle@1s"
    command = [sys.executable, "-c", PLAIN]
    found = options(tmp_path, command, strategies__mine__subscriptions=wanted, **auth)
    app.serve(found, ready=visitor)
    visitor.task.result()
