"""Whatever is asked for, and whoever dies meanwhile: in the end all agree on what is."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress

import pytest

from fastrouter.control.strategies import Restarts
from fastrouter.control.strategies.keeper import Timer
from fastrouter.control.strategies.records import Records, State
from fastrouter.control.strategies.strategy import Strategy
from fastrouter.errors import MessageError, StoreError

from ...net.wire import until
from .house import FOREVER, shell
from .test_strategy import there

STEPS = 40
SCRIPTS = (FOREVER, "exit 3", "echo done", "trap '' TERM; while :; do sleep 0.01; done")
LAST = {
    State.STARTED: "started",
    State.PAUSED: "paused",
    State.STOPPED: "stopped",
    State.FAILED: "stopped",
}


async def start(one: Strategy) -> None:
    await one.start({})


@pytest.mark.parametrize("seed", range(6))
async def test_all_agree_in_the_end(run, tmp_path, monkeypatch, seed):
    rng = random.Random(seed)
    specs = [
        shell(f"s{number}", script, grace=0.02, restarts=Restarts(2 + 1000 * (number == 0)))
        for number, script in enumerate(SCRIPTS)
    ]
    running = await run(*specs, store=tmp_path / "store.db")
    house, strategies = running.registry.house, [*running.registry]
    house.timer = Timer(lambda: 0.0, lambda seconds: asyncio.sleep(0))
    pids: set[int] = set()
    told: dict[str, str] = {}
    refusals: set[str] = set()
    save, publish = Records.save, house.publish

    async def unreliable(*row) -> None:
        if rng.random() < 0.05:
            raise StoreError("the disk is full")
        await save(*row)

    def listen(kind, payload) -> None:
        told[payload.get("strategy_id", "")] = payload["event"]
        publish(kind, payload)

    async def ask() -> None:
        for _ in range(STEPS):
            one = rng.choice(strategies)
            try:
                await rng.choice([start, start, Strategy.stop, Strategy.pause])(one)
            except MessageError as error:
                refusals.add(error.code)
            except StoreError:
                refusals.add("full")

    async def kill() -> None:
        for _ in range(STEPS):
            child = rng.choice(strategies).child
            if child is not None:
                pids.add(child.pid)
                if rng.random() < 0.3:
                    with suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGKILL)
            await asyncio.sleep(0)

    monkeypatch.setattr(Records, "save", unreliable)
    house.publish = listen
    await asyncio.gather(*(ask() for _ in range(4)), kill())
    assert refusals <= {"ALREADY_RUNNING", "NOT_RUNNING", "full"}  # which ones, chance decides
    monkeypatch.setattr(Records, "save", save)
    for one in strategies:  # from here on what is kept is what is
        with suppress(MessageError):
            await one.stop()
    steady = strategies[0]
    await steady.start({})
    await steady.pause()
    records = await house.records.load()
    for one in strategies[1:]:
        assert one.child is None
        assert not one._lock.locked()
    for one in strategies:
        if one.spec.id in told:
            assert told[one.spec.id] == LAST[one.record.state]
    assert records[steady.spec.id] == steady.record
    assert running.server.group.roster.paused == {steady.spec.id}
    pids.discard(steady.child.pid)
    await until(lambda: not any(map(there, pids)))
