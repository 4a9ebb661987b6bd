"""Strategies of the whole server: their processes, their orders, and what becomes of them."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from fastrouter import app, config
from fastrouter.app.strategies import specs_of
from fastrouter.feeds.market import market_symbols

from ..net.wire import Wire, until
from ..served import Served
from ..tokens import SECRET, hs256, public_pem, rs256
from .visit import Visitor, settings

FOREVER = "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done"

#: says where it is, and orders and signals once, by our own SDK
TRADER = """
import asyncio, os, fastrouter
async def main():
    async with fastrouter.connect() as events, fastrouter.trading() as desk:
        async for event in events:
            if isinstance(event, fastrouter.Quote):
                await desk.signal(event.symbol, "BUY", price=event.ask, confidence=0.9)
                await desk.submit(event.symbol, "BUY", "3")
                print("ordered", flush=True)
                await asyncio.Event().wait()
asyncio.run(main())
"""


def options(tmp_path: Path, command: list[str], **more: object) -> config.Settings:
    return settings(
        feed__spec="synthetic",
        feed__synthetic__symbols=["S:AAPL"],
        feed__synthetic__rate=200.0,
        store__path=str(tmp_path / "state.db"),
        ports__market="off",
        ports__risk="off",
        ports__ai="off",
        ports__backtest="off",
        strategies__mine__command=command,
        strategies__mine__name="My bot",
        **more,
    )


@asynccontextmanager
async def orch(serving: app.Serving, *wanted: str) -> AsyncIterator[Wire]:
    """A session in ORCH's envelope that hears of strategies, and of what else is wanted."""
    items = ",".join(f"*:{one}" for one in ("strategy", *wanted))
    wire = await Wire.open(serving.port, f"/?dialect=orchestrator&subscriptions={items}")
    try:
        assert (await wire.response())[0] == 101
        assert (await wire.message())["type"] == "connection"
        yield wire
    finally:
        await wire.bye()


async def next_of(wire: Wire, kind: str) -> dict:
    while (message := await wire.message())["type"] != kind:
        pass
    return message["data"]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


# --------------------------------------------------------------------- configured


def test_all_that_are_configured_and_the_one_built_in():
    found = config.load(
        None,
        {
            "strategies.mine.command": "a 'b c'",
            "strategies.mine.max_orders_per_minute": 5,
            "strategies.mine.environment": {"PROXY_TOKEN": "t"},
            "strategies.mine.max_restarts": 2,
            "strategies.mine.nice": 0,
            "feed.synthetic.symbols": 50,
        },
    ).settings
    mine, crossover = specs_of(found)
    assert (mine.id, mine.name, mine.command) == ("mine", "mine", ("a", "b c"))
    assert (mine.symbols, mine.config) == ((), {"realTrading": False, "maxOrdersPerMinute": 5})
    assert (mine.environment, mine.restarts.most) == ({"PROXY_TOKEN": "t"}, 2)
    assert (mine.nice, crossover.nice) == (0, 5)
    assert crossover.name == "Moving Average Crossover"
    assert crossover.command == (sys.executable, "-m", "fastrouter.examples.crossover")
    assert crossover.symbols == market_symbols(50)[:20]
    assert crossover.config["dataResolution"] == "1s"


def test_of_another_feed_the_built_in_one_is_for_all_symbols():
    (crossover,) = specs_of(settings())
    assert crossover.symbols == ()


# --------------------------------------------------------------------- served


def test_a_strategy_trades_by_what_its_environment_says(tmp_path):
    async def trades(wire: Wire) -> None:
        wire.say({"type": "start_strategy", "id": "mine", "config": {"symbols": ["AAPL"]}})
        started = await next_of(wire, "strategy_started")
        assert started["symbols"] == ["S:AAPL"]
        signal_ = await next_of(wire, "strategy_signal")
        assert (signal_["strategyId"], signal_["action"]) == ("mine", "BUY")
        assert signal_["name"] == "My bot"
        trade = await next_of(wire, "strategy_trade")
        assert (trade["strategyId"], trade["quantity"]) == ("mine", 3)
        assert (await next_of(wire, "position"))["strategy_id"] == "mine"
        account = await next_of(wire, "account")
        assert account["enabled_strategies"] == ["mine"]
        assert isinstance(account["uptime_seconds"], int)
        assert account["last_signal_time"]
        wire.say({"type": "get_active_strategies"})
        (mine, _) = await next_of(wire, "strategy_status_list")
        assert mine["positions"][0]["symbol"] == "S:AAPL"
        assert mine["positions"][0]["quantity"] == 3

    async def visit(serving: app.Serving) -> None:
        async with orch(serving, "signal", "trade", "position", "account") as wire:
            await trades(wire)
        async with httpx.AsyncClient(base_url=f"{serving.rest}/v1/strategies/mine") as http:
            order = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "gtc"}
            assert (await http.post("/v2/orders", json={**order, "qty": "1"})).status_code == 200
            assert (await http.post("/pause")).json()["status"] == "PAUSED"
            refused = await http.post("/v2/orders", json={**order, "qty": "1"})
            assert (refused.status_code, refused.json()["code"]) == (403, "STRATEGY_PAUSED")
            anyones = {**order, "qty": "1", "strategy_id": "mine"}
            refused = await http.post(f"{serving.rest}/v2/orders", json=anyones)
            assert refused.json()["code"] == "STRATEGY_PAUSED"
            anyones["strategy_id"] = "mime"
            refused = await http.post(f"{serving.rest}/v2/orders", json=anyones)
            assert (refused.status_code, refused.json()["code"]) == (422, "UNKNOWN_STRATEGY")
            assert refused.json()["message"] == (
                "there is no strategy 'mime'; there is mine, crossover"
            )
            signal_ = {"symbol": "AAPL", "action": "BUY", "strategy_id": "mime"}
            refused = await http.post(f"{serving.rest}/v1/signals", json=signal_)
            assert (refused.status_code, refused.json()["code"]) == (422, "UNKNOWN_STRATEGY")
            nobodys = {**order, "qty": "1", "strategy_id": ""}
            assert (await http.post(f"{serving.rest}/v2/orders", json=nobodys)).is_success
            unknown = await http.get(f"{serving.rest}/v1/strategies/nobody/v2/orders")
            assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_STRATEGY")
            assert (await http.post("/stop")).json()["status"] == "STOPPED"
            refused = await http.post("/v2/orders", json={**order, "qty": "1"})
            assert (refused.status_code, refused.json()["code"]) == (403, "NOT_RUNNING")
            lines = (await http.get("/log")).json()["lines"]
            assert lines[0] == "ordered", lines

    visitor = Visitor(visit)
    app.serve(options(tmp_path, [sys.executable, "-c", TRADER]), ready=visitor)
    visitor.task.result()


def test_it_ends_with_the_server_and_starts_with_the_next(tmp_path):
    told: list[dict] = []
    pids: list[int] = []

    async def first(serving: app.Serving) -> None:
        listening = asyncio.Event()
        visitor.hearing = asyncio.create_task(hear(serving, listening))
        await listening.wait()
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            pids.append((await http.get("/v1/strategies/mine")).json()["pid"])

    async def hear(serving: app.Serving, listening: asyncio.Event) -> None:
        async with orch(serving) as wire:
            wire.say({"type": "start_strategy", "id": "mine"})
            await next_of(wire, "strategy_started")
            listening.set()
            while (message := await wire.message())["type"] != "connection":
                told.append(message)

    async def second(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            found = (await http.get("/v1/strategies/mine")).json()
            assert found["status"] == "ACTIVE"
            assert found["pid"] != pids[0]
            lines = (await http.get("/v1/strategies/mine/log")).json()["lines"]
            assert lines[0] == "up"

    visitor = Visitor(first)
    command = ["/bin/sh", "-c", FOREVER]
    assert app.serve(options(tmp_path, command), ready=visitor)
    visitor.task.result()
    kinds = [message["type"] for message in told]
    assert kinds == ["strategy_stopped", "execution_service_status"]
    assert told[0]["data"]["reason"] == "the server stops"
    assert gone(pids[0])
    visitor = Visitor(second)
    app.serve(options(tmp_path, command), ready=visitor)
    visitor.task.result()


def test_a_second_signal_does_not_wait_for_one_that_does_not_end(tmp_path):
    pids: list[int] = []

    async def visit(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=serving.rest) as http:
            found = (await http.post("/v1/strategies/mine/start")).json()
            pids.append(found["pid"])
            path = tmp_path / "state.db-strategies" / "mine.log"
            await until(lambda: path.exists() and path.read_text() == "up\n")
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)

    visitor = Visitor(visit)
    script = "trap '' TERM; echo up; while :; do sleep 0.02; done"
    app.serve(
        options(tmp_path, ["/bin/sh", "-c", script], strategies__mine__grace_seconds=600.0),
        ready=visitor,
    )
    visitor.task.result()
    assert gone(pids[0])


def test_with_auth_a_claim_is_needed_and_no_secret_is_handed_down(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTROUTER_AUTH__SECRET", SECRET.decode())
    bearer = {"Authorization": f"Bearer {hs256(strategies=True)}"}

    async def visit(serving: app.Serving) -> None:
        async with httpx.AsyncClient(base_url=f"{serving.rest}/v1/strategies") as http:
            assert (await http.get("/mine")).status_code == 401
            user = {"Authorization": f"Bearer {hs256()}"}
            assert (await http.post("/mine/start", headers=user)).status_code == 403
            assert (await http.post("/mine/start", headers=bearer)).status_code == 200
            log = tmp_path / "state.db-strategies" / "mine.log"
            await until(lambda: log.exists() and "the end" in log.read_text())
            seen = log.read_text()
            assert "PROXY_TOKEN=its own" in seen
            assert SECRET.decode() not in seen
            assert "FASTROUTER_" not in seen

    visitor = Visitor(visit)
    found = options(
        tmp_path,
        ["/bin/sh", "-c", f"env; echo the end; {FOREVER}"],
        strategies__mine__environment={"PROXY_TOKEN": "its own"},
        auth__secret=SECRET.decode(),
    )
    app.serve(found, ready=visitor)
    visitor.task.result()


@pytest.mark.parametrize("sign", [hs256, rs256])
def test_with_auth_a_strategy_trades_by_a_token_of_ours_until_it_is_stopped(tmp_path, sign):
    key = tmp_path / "key.pem"
    key.write_bytes(public_pem())
    auth = {hs256: {"auth__secret": SECRET.decode()}, rs256: {"auth__public_key": str(key)}}[sign]
    bearer = {"Authorization": f"Bearer {sign(strategies=True, accounts=['default'])}"}
    script = TRADER.replace('print("ordered"', 'print(os.environ["PROXY_TOKEN"]')

    async def visit(serving: app.Serving) -> None:
        url = f"{serving.rest}/v1/strategies/mine"
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.post("/start", headers=bearer)).status_code == 200
            log = tmp_path / "state.db-strategies" / "mine.log"
            await until(lambda: log.exists() and log.read_text().endswith("\n"))
            (token,) = log.read_text().split()
            its = {"Authorization": f"Bearer {token}"}
            orders = (await http.get("/v2/orders?status=all", headers=its)).json()
            assert [one["strategy_id"] for one in orders] == ["mine"]
            assert (await http.post("/stop", headers=its)).status_code == 403
            assert (await http.post("/stop", headers=bearer)).status_code == 200
            assert (await http.get("/v2/orders", headers=its)).status_code == 401

    visitor = Visitor(visit)
    app.serve(options(tmp_path, [sys.executable, "-c", script], **auth), ready=visitor)
    visitor.task.result()


@pytest.mark.skipif(sys.platform != "linux", reason="a parent's death is only told on Linux")
def test_when_the_server_is_killed_its_strategies_die_and_the_next_starts_them(tmp_path):
    server = Served(
        FASTROUTER_STORE__PATH=str(tmp_path / "state.db"),
        FASTROUTER_STRATEGIES__MINE__COMMAND=shlex.join(["/bin/sh", "-c", FOREVER]),
    )
    with server:
        url = server.url(8080, "/v1/strategies/mine", "http")
        pid = httpx.post(f"{url}/start").json()["pid"]
        assert not gone(pid)
        server.kill()
        asyncio.run(until(lambda: gone(pid)))
        server.start()
        found = httpx.get(url).json()
        assert found["status"] == "ACTIVE"
        assert found["pid"] != pid


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_what_a_strategy_had_started_ends_before_the_next_server_starts_it(tmp_path):
    store, script = tmp_path / "state.db", "setsid sleep 600 & sleep 600 & echo $!; wait"
    server = Served(
        FASTROUTER_STORE__PATH=str(store),
        FASTROUTER_STRATEGIES__MINE__COMMAND=shlex.join(["/bin/sh", "-c", script]),
    )
    with server:
        url = server.url(8080, "/v1/strategies/mine", "http")
        httpx.post(f"{url}/start")
        mark = owner_of(store)
        asyncio.run(until(lambda: settled(mark)))
        first = having(mark)
        server.kill()
        asyncio.run(until(lambda: len(having(mark)) == 2))
        server.start()
        assert not first & having(mark)
        asyncio.run(until(lambda: settled(mark)))
        server.stop()
        left = having(mark)  # who left the group outlives a stop, and not the next start
        assert len(left) == 1
        server.start()
        assert not left & having(mark)
        server.stop()
    for pid in having(mark):
        os.kill(pid, signal.SIGKILL)


def settled(mark: bytes) -> bool:
    """Whether all three are there, one of them in a session of its own."""
    found = having(mark)
    return len(found) == 3 and len({os.getsid(pid) for pid in found}) == 2


def owner_of(store: Path) -> bytes:
    """What the programs of a server on it have in their environment."""
    status = store.stat()
    return f"PROXY_OWNER={status.st_dev}:{status.st_ino}".encode()


def having(mark: bytes) -> set[int]:
    """Processes with it in their environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
        except OSError:
            pass
    return found
