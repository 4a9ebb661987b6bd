"""ORCH's four commands, as clients see them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter import Quote
from fastrouter.errors import StoreError
from fastrouter.session.auth import Verifier

from ...net.wire import Wire, turns, until
from ...tokens import SECRET, hs256
from .house import FOREVER, FakeDesk, held, shell

START = {"type": "start_strategy", "id": "mine"}
STOP = {"type": "stop_strategy", "id": "mine"}
PAUSE = {"type": "pause_strategy", "id": "mine"}
LIST = {"type": "get_active_strategies"}
MINE = {"strategyId": "mine", "name": "Mine"}
SYMBOLS = ["S:AAPL", "C:BTCUSD"]


async def said(wire: Wire) -> tuple[str, Any]:
    message = await wire.message()
    return message["type"], message["data"]


async def listed(wire: Wire) -> list[dict[str, Any]]:
    wire.say(LIST)
    kind, found = await said(wire)
    assert kind == "strategy_status_list"
    assert await said(wire) == ("execution_service_status", {"status": "RUNNING"})
    return found


async def status(wire: Wire) -> str:
    (mine,) = await listed(wire)
    return mine["status"]


async def refused(wire: Wire) -> str:
    kind, error = await said(wire)
    assert kind == "error"
    return f"{error['code']}: {error['message']}"


async def test_start_and_stop_are_told_to_everybody(run):
    running = await run(shell("mine", symbols=("S:AAPL", "C:BTCUSD")))
    one, other = await running.session(), await running.session()
    assert await listed(one) == [
        {"id": "mine", "name": "Mine", "status": "STOPPED", "symbols": SYMBOLS, "positions": []}
    ]
    one.say(START)
    for wire in (one, other):
        assert await said(wire) == ("strategy_started", {**MINE, "symbols": SYMBOLS})
    assert await status(other) == "ACTIVE"
    other.say(STOP)
    for wire in (one, other):
        assert await said(wire) == ("strategy_stopped", MINE)
    assert await status(one) == "STOPPED"


async def test_what_a_strategy_holds_is_listed(run):
    running = await run(shell("mine"), shell("other"))
    await held(running.desk, "mine", "S:AAPL", "10", at=150.25)
    await held(running.desk, "other", "S:MSFT", "0.5", at=3)
    running.desk.broker.ledger.holdings["S:AAPL"]["mine"] = running.desk.broker.ledger.holdings[
        "S:AAPL"
    ]["mine"]._replace(mark=running.desk.decimal("155.05"))
    mine, other = await listed(await running.session())
    assert mine["positions"] == [
        {"symbol": "S:AAPL", "quantity": 10, "entryPrice": 150.25, "currentValue": 1550.5}
    ]
    assert other["positions"] == [
        {"symbol": "S:MSFT", "quantity": 0.5, "entryPrice": 3, "currentValue": 1.5}
    ]


async def test_pause_stops_data_and_orders_until_it_is_started_again(run):
    running = await run(shell("mine"))
    wire = await running.session()
    mine = await Wire.session(running.server.port, "/ws?strategy_id=mine&subscriptions=*:quote")
    may_trade = running.registry.may_trade
    assert may_trade("mine").code == "NOT_RUNNING"
    assert may_trade("nobody").code == "UNKNOWN_STRATEGY"
    wire.say(START)
    assert (await said(wire))[0] == "strategy_started"
    assert may_trade("mine") is None
    process = running.registry.find("mine").child.pid
    wire.say(PAUSE)
    assert await said(wire) == ("strategy_paused", MINE)
    assert await status(wire) == "PAUSED"
    assert may_trade("mine").code == "STRATEGY_PAUSED"
    running.router.publish(Quote("S:AAPL", bid=1, ask=2))
    wire.say(START)
    assert (await said(wire))[0] == "strategy_started"
    running.router.publish(Quote("S:AAPL", bid=2, ask=3))
    assert (await mine.message())["snapshot"] is True
    assert (await mine.message())["quote"]["bid"] == "2"
    assert may_trade("mine") is None
    assert running.registry.find("mine").child.pid == process
    await mine.bye()


async def test_what_a_start_says_goes_to_the_process_and_to_the_broker(run, tmp_path):
    seen = tmp_path / "seen"
    script = f"env > {seen}.new && mv {seen}.new {seen}; {FOREVER}"
    running = await run(shell("mine", script, config={"maxPositionValue": 5}, symbols=("C:MSFT",)))
    wire = await running.session()
    config = {
        "symbols": ["AAPL", "BTC/USD", "S:NEW"],
        "dataResolution": "5m",
        "maxPositionValue": 10000,
        "maxOrdersPerMinute": 5,
        "stopLossPercentage": 0.02,
    }
    wire.say({**START, "config": config})
    symbols = ["S:AAPL", "C:BTCUSD", "S:NEW"]
    assert await said(wire) == ("strategy_started", {**MINE, "symbols": symbols})
    await until(seen.exists)
    found = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    port = running.server.port
    assert found["STRATEGY_ID"] == "mine"
    assert found["STRATEGY_SYMBOLS"] == "S:AAPL,C:BTCUSD,S:NEW"
    assert found["SUBSCRIPTIONS"] == ",".join(f"{s}:quote,{s}:candle@5m" for s in symbols)
    assert found["PROXY_WS_URL"] == f"ws://127.0.0.1:{port}/?strategy_id=mine"
    assert found["PROXY_REST_URL"] == "http://127.0.0.1:1/v1/strategies/mine"
    assert json.loads(found["STRATEGY_CONFIG"]) == {
        **config,
        "symbols": symbols,
        "realTrading": False,
    }
    limits = running.desk.broker.limits["mine"]
    assert (limits.max_position_value, limits.max_orders_per_minute) == (10000, 5)
    assert (str(limits.stop_loss_percentage), limits.real_trading) == ("0.02", False)
    assert (await listed(wire))[0]["symbols"] == symbols
    wire.say(STOP)
    assert (await said(wire))[0] == "strategy_stopped"
    seen.unlink()
    wire.say(START)
    assert await said(wire) == ("strategy_started", {**MINE, "symbols": ["C:MSFT"]})
    assert running.desk.broker.limits["mine"].max_position_value == 5, "each start has its own"


async def test_limits_of_one_that_is_paused_can_be_changed_and_symbols_not(run):
    running = await run(shell("mine", symbols=("S:AAPL",)))
    wire = await running.session()
    for message in (START, PAUSE):
        wire.say(message)
        await said(wire)
    wire.say({**START, "config": {"symbols": ["S:MSFT"]}})
    assert "ALREADY_RUNNING: start_strategy: mine is PAUSED; stop it first" in await refused(wire)
    assert await status(wire) == "PAUSED"
    wire.say({**START, "config": {"symbols": ["AAPL"], "maxOrdersPerMinute": 7}})
    assert (await said(wire))[0] == "strategy_started"
    assert running.desk.broker.limits["mine"].max_orders_per_minute == 7


@pytest.mark.parametrize(
    ("before", "message", "said_"),
    [
        ([], STOP, "NOT_RUNNING: stop_strategy: mine is STOPPED"),
        ([], PAUSE, "NOT_RUNNING: pause_strategy: mine is STOPPED"),
        ([START], START, "ALREADY_RUNNING: start_strategy: mine is ACTIVE"),
        ([START, PAUSE], PAUSE, "NOT_RUNNING: pause_strategy: mine is PAUSED"),
        ([START, STOP], STOP, "NOT_RUNNING: stop_strategy: mine is STOPPED"),
        ([], {**START, "id": "x"}, "UNKNOWN_STRATEGY: there is no strategy 'x'; there is mine"),
        ([], {**START, "config": {"symbols": ["NOPE"]}}, "UNKNOWN_SYMBOL: start_strategy: symbol"),
        ([], {**START, "config": {"symbols": ["MSFT"]}}, "AMBIGUOUS_SYMBOL"),
        ([], {**START, "config": {"maxPositionValue": 1e13}}, "INVALID_LIMIT"),
        ([], {**START, "config": {"maxPositionValue": 0}}, "INVALID_MESSAGE"),
        ([], {**START, "config": []}, "INVALID_MESSAGE"),
        ([], {"type": "start_strategy"}, "INVALID_MESSAGE"),
    ],
)
async def test_what_cannot_be_done_is_refused(run, before, message, said_):
    running = await run(shell("mine"))
    wire = await running.session()
    for one in before:
        wire.say(one)
        assert (await said(wire))[0] != "error"
    was = running.registry.find("mine").status
    wire.say(message)
    assert said_ in await refused(wire)
    assert running.registry.find("mine").status == was


async def test_a_program_that_does_not_exist(run):
    spec = shell("mine")._replace(command=("/nowhere/at-all",))
    running = await run(spec)
    wire, other = await running.session(), await running.session()
    wire.say(START)
    assert await said(other) == (
        "strategy_stopped",
        {**MINE, "reason": "/nowhere/at-all cannot be started: No such file or directory"},
    )
    assert "STRATEGY_FAILED: start_strategy: /nowhere/at-all cannot be" in await refused(wire)
    assert (await said(wire))[0] == "strategy_stopped"
    assert await status(wire) == "FAILED"
    assert running.registry.may_trade("mine").code == "NOT_RUNNING"
    wire.say(STOP)
    assert "NOT_RUNNING" in await refused(wire)


async def test_what_cannot_be_kept_does_not_happen(run):
    running = await run(shell("mine"))
    wire = await running.session()
    running.desk.error = StoreError("the disk is full")
    wire.say(START)
    assert await refused(wire) == "STORE_ERROR: start_strategy: the disk is full"
    assert await status(wire) == "STOPPED"


async def test_our_own_fault_is_told_and_logged(run, caplog):
    running = await run(shell("mine"))
    wire = await running.session()
    running.desk.error = ZeroDivisionError("ours")
    wire.say(START)
    assert "ERROR: start_strategy: see the server's log" in await refused(wire)
    assert "start_strategy of mine" in caplog.text
    running.desk.error = None
    wire.say(START)
    assert (await said(wire))[0] == "strategy_started"


async def test_commands_of_one_strategy_are_carried_out_in_their_order(run):
    running = await run(shell("mine"))
    wire = await running.session()
    for _ in range(3):
        for message in (START, PAUSE, START, STOP):
            wire.say(message)
    kinds = [(await said(wire))[0].removeprefix("strategy_") for _ in range(12)]
    assert kinds == ["started", "paused", "started", "stopped"] * 3


async def test_who_hears_of_no_strategies_is_answered(run):
    running = await run(shell("mine"))
    wire = await running.session("/?subscriptions=S:A:quote")
    wire.say(LIST)
    assert (await said(wire))[0] == "strategy_status_list"
    assert (await said(wire))[0] == "execution_service_status"
    wire.say({"type": "unsubscribe", "subscriptions": ["*:strategy"]})
    await said(wire)
    for message, kind, more in (
        (START, "strategy_started", {"symbols": []}),
        (PAUSE, "strategy_paused", {}),
        (STOP, "strategy_stopped", {}),
    ):
        wire.say(message)
        assert await said(wire) == (kind, {**MINE, **more})


async def test_a_client_that_is_gone_is_not_answered(run):
    running = await run(shell("mine"))
    wire, other = await running.session(), await running.session()
    wire.say(START)
    await wire.bye()
    assert (await said(other))[0] == "strategy_started"


async def test_on_a_session_of_trading_api_it_is_orchs_envelope(run):
    running = await run(shell("mine"))
    wire = await running.session("/ws?subscriptions=S:AAPL:quote")
    wire.say(START)
    message = await wire.message()
    assert list(message) == ["type", "timestamp", "data"]
    assert (message["type"], message["data"]) == ("strategy_started", {**MINE, "symbols": []})
    running.router.publish(Quote("S:AAPL", bid=1, ask=2))
    assert (await wire.message())["quote"]["bid"] == "1"


class TestAuth:
    @pytest.fixture
    async def running(self, run):
        return await run(shell("mine"), verifier=Verifier(secret=SECRET), private=True)

    async def session(self, running, **claims):
        return await running.session(f"/?subscriptions=*:strategy&token={hs256(**claims)}")

    async def test_the_claim_is_needed(self, running):
        wire = await self.session(running)
        wire.say(START)
        assert "FORBIDDEN: start_strategy needs a token" in await refused(wire)
        assert await status(wire) == "STOPPED"
        able = await self.session(running, strategies=True)
        able.say(START)
        assert (await said(able))[0] == "strategy_started"

    async def test_what_they_hold_is_for_those_who_may_see_the_account(self, running):
        await held(running.desk, "mine", "S:AAPL", "10", at=150.25)
        for claims, count in (
            ({}, 0),
            ({"accounts": ["other"]}, 0),
            ({"accounts": ["default"]}, 1),
            ({"strategies": True}, 1),
            ({"admin": True}, 1),
        ):
            (mine,) = await listed(await self.session(running, **claims))
            assert len(mine["positions"]) == count

    async def test_figures_of_the_account_are_not_for_everybody(self, running):
        core = await running.session(f"/core?subscriptions=*:strategy&token={hs256()}")
        able = await self.session(running, strategies=True)
        able.say(START)
        update = await core.message()
        assert update["type"] == "BotStatusUpdate"
        assert update["data"]["enabled_strategies"] == ["mine"]
        assert update["data"]["total_balance"] is update["data"]["mode"] is None


async def test_core_is_told_of_the_bot_by_the_books(run):
    running = await run(shell("mine"), shell("other"))
    await held(running.desk, "mine", "S:AAPL", "10", at=150.25)
    signal = {"id": "sig-1", "symbol": "S:AAPL", "action": "BUY", "strategy_id": "mine"}
    running.router.publish("signal", signal)
    await turns()
    core, wire = await running.session("/core?subscriptions=*:strategy"), await running.session()
    told = []
    for message in (START, {**START, "id": "other"}, PAUSE, {**STOP, "id": "other"}, STOP):
        wire.say(message)
        await wire.message()
        update = await core.message()
        assert update["type"] == "BotStatusUpdate"
        told.append(update["data"])
    first = told[0]
    assert isinstance(first.pop("uptime_seconds"), int)
    assert first == {
        "status": "RUNNING",
        "mode": "PAPER_TRADING",
        "total_positions": 1,
        "total_balance": 100000,
        "total_pnl": 0,
        "total_pnl_percent": 0,
        "enabled_strategies": ["mine"],
        "last_signal_time": 1_700_000_000_000,
        "next_signal_time": None,
    }
    states = [(one["status"], one["enabled_strategies"]) for one in told]
    assert states == [
        ("RUNNING", ["mine"]),
        ("RUNNING", ["mine", "other"]),
        ("RUNNING", ["other"]),
        ("STOPPED", []),
        ("STOPPED", []),
    ]


async def test_core_is_told_of_one_that_failed(run):
    running = await run(shell("mine")._replace(command=("/nowhere/at-all",)), shell("other"))
    core, wire = await running.session("/core?subscriptions=*:strategy"), await running.session()
    wire.say({**START, "id": "other"})
    assert (await core.message())["data"]["status"] == "RUNNING"
    wire.say(START)
    failed = (await core.message())["data"]
    assert (failed["status"], failed["enabled_strategies"]) == ("ERROR", ["other"])


async def test_the_service_says_that_it_runs_and_that_it_stopped(run):
    running = await run(shell("mine"), opened=False)
    wire, desk = await running.session(), FakeDesk()
    assert desk.broker.limits == {}
    wire.say(LIST)
    assert (await said(wire))[0] == "strategy_status_list"
    assert await said(wire) == ("execution_service_status", {"status": "STOPPED"})
    wire.say(START)
    assert "NOT_RUNNING: start_strategy: the orchestrator is not running" in await refused(wire)
    await running.registry.open()
    assert await said(wire) == ("execution_service_status", {"status": "RUNNING"})
    wire.say(START)
    assert (await said(wire))[0] == "strategy_started"
    await running.registry.close()
    assert await said(wire) == ("strategy_stopped", {**MINE, "reason": "the server stops"})
    assert await said(wire) == ("execution_service_status", {"status": "STOPPED"})
    wire.say(START)
    assert "NOT_RUNNING" in await refused(wire)


async def test_a_trading_api_session_that_asks_for_strategies_hears_of_them(run):
    running = await run(shell("mine"))
    plain, wire = await running.session("/ws?subscriptions=*:order"), await running.session()
    asked = await running.session("/ws?subscriptions=*:strategy,*:risk,*:signal")
    plain.say({"type": "subscribe", "subscriptions": ["*:risk"]})
    assert (await plain.message())["type"] == "subscribed"
    wire.say(START)
    assert await said(asked) == ("strategy_started", {**MINE, "symbols": []})
    running.router.publish("signal", {"id": "1", "symbol": "S:A", "action": "BUY"})
    assert (await asked.message())["type"] == "signal"
    running.router.publish("risk", {"rule": "maxDailyLoss"})
    for one in (plain, asked):
        assert (await one.message())["type"] == "risk_limit_breached"
