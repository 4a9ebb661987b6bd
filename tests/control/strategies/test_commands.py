"""ORCH's four commands, as a client sees them."""

from __future__ import annotations

from typing import Any

from ...net.wire import Wire
from .house import shell

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
    assert (await said(wire))[0] == "execution_service_status"
    return found


async def test_start_and_stop_are_told_to_everybody(run):
    running = await run(shell("mine", symbols=("S:AAPL", "C:BTCUSD")))
    one, other = await running.session(), await running.session()
    assert await listed(one) == [
        {"id": "mine", "name": "Mine", "status": "STOPPED", "symbols": SYMBOLS, "positions": []}
    ]
    one.say(START)
    for wire in (one, other):
        assert await said(wire) == ("strategy_started", {**MINE, "symbols": SYMBOLS})
    assert (await listed(other))[0]["status"] == "ACTIVE"
    other.say(STOP)
    for wire in (one, other):
        assert await said(wire) == ("strategy_stopped", MINE)
    assert (await listed(one))[0]["status"] == "STOPPED"
