"""What others ask of all strategies: commands, names, whether orders are taken."""

from __future__ import annotations

import asyncio

import pytest

from fastrouter.control.problem import Problem
from fastrouter.control.strategies.gate import gate_of
from fastrouter.errors import MessageError

from ...net.wire import until
from .house import FOREVER, shell


async def test_commands_and_names(run):
    registry = (await run(shell("mine"))).registry
    assert registry.command("mine") == ["/bin/sh", "-c", FOREVER]
    assert registry.name_of("mine") == "Mine"
    assert registry.command("x") is registry.name_of("x") is None
    assert registry.account == "default"
    with pytest.raises(MessageError, match="there is no strategy 'x'; there is mine"):
        registry.find("x")


async def test_what_its_sessions_get_follows_what_it_was_started_with(run):
    registry = (await run(shell("mine"))).registry
    assert registry.subscriptions("mine") == "*:quote,*:candle"
    await registry.find("mine").start({"symbols": ["S:X"], "dataResolution": "5m"})
    assert registry.subscriptions("mine") == "S:X:quote,S:X:candle@5m"
    assert registry.subscriptions("x") is None


async def test_without_any(run):
    registry = (await run()).registry
    assert registry.listed() == []
    with pytest.raises(MessageError, match="there is none"):
        registry.find("x")


async def test_the_gate(run):
    registry = (await run(shell("mine"))).registry
    gate, mine = gate_of(registry), registry.find("mine")

    def refused(strategy_id: str, acts: bool) -> tuple[int, str]:
        with pytest.raises(Problem) as caught:
            gate(strategy_id, acts)
        return caught.value.status, caught.value.code

    assert refused("x", False) == (404, "UNKNOWN_STRATEGY")
    assert refused("x", True) == (422, "UNKNOWN_STRATEGY")
    gate("mine", False)
    assert refused("mine", True) == (403, "NOT_RUNNING")
    await mine.start({})
    gate("mine", True)
    await mine.pause()
    gate("mine", False)
    assert refused("mine", True) == (403, "STRATEGY_PAUSED")


async def test_whoever_does_not_end_is_killed_when_we_are_in_a_hurry(run):
    running = await run(
        shell("mine", "trap '' TERM; echo up; while :; do sleep 0.01; done", grace=600)
    )
    mine = running.registry.find("mine")
    await mine.start({})
    await until(lambda: mine.log.tail(1) == ["up"])
    closing = asyncio.ensure_future(running.registry.close())
    await until(lambda: mine.status == "STOPPING")
    running.registry.kill()
    await closing
    assert mine.child is None
