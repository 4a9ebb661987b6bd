"""What becomes of a strategy's process, and of the strategy with it; processes are real."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from fastrouter.control.strategies import Restarts
from fastrouter.control.strategies.records import Record, Records, State
from fastrouter.control.strategies.strategy import Status
from fastrouter.errors import MessageError, StoreError

from ...net.wire import Wire, until
from .house import FOREVER, order, shell

PING = 9
CRASH = "echo $$; exit 3"


async def told(wire: Wire) -> tuple[str, str | None]:
    """The next that is told of a strategy, and why; pings do not count."""
    opcode, payload = await wire.frame()
    while opcode == PING:
        opcode, payload = await wire.frame()
    message = json.loads(payload)
    return message["type"].removeprefix("strategy_"), message["data"].get("reason")


def there(pid: int) -> bool:
    """Does a process of that id run?"""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# ------------------------------------------------------------------- crashes


async def test_a_crash_is_told_and_it_starts_again_later_each_time(run):
    running = await run(shell("mine", CRASH, restarts=Restarts(3, 1.0, 3.0, 100.0)))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    assert await told(wire) == ("started", None)
    for wait in (1, 2, 3):
        assert await told(wire) == ("stopped", f"exit status 3; it starts again in {wait} s")
        await until(lambda wait=wait: running.timer.waits[-1:] == [wait])
        assert mine.status is Status.STARTING
        assert running.registry.may_trade("mine") is None
        running.timer.ring()
        assert await told(wire) == ("started", "restarted")
    assert await told(wire) == ("stopped", "exit status 3, too often")
    assert mine.status is Status.FAILED
    assert running.timer.waits == [1, 2, 3]
    assert (mine.record.restarts, mine.record.last_exit) == (3, "exit status 3, too often")
    pids = [line for line in mine.log.tail(100) if line.isdecimal()]
    assert len(set(pids)) == 4
    assert "fastrouter: exit status 3; it starts again in 2 s" in mine.log.tail(100)
    await mine.start({})
    assert await told(wire) == ("started", None)
    assert (await told(wire))[0] == "stopped"
    assert mine.record.restarts == 1, "a start begins to count anew"


async def test_crashes_of_long_ago_do_not_count(run):
    running = await run(shell("mine", CRASH, restarts=Restarts(1, 1.0, 3.0, 10.0)))
    wire = await running.session()
    await running.registry.find("mine").start({})
    assert await told(wire) == ("started", None)
    for _ in range(5):
        assert await told(wire) == ("stopped", "exit status 3; it starts again in 1 s")
        await until(lambda: running.timer.waiting)
        running.timer.ring(10)
        assert await told(wire) == ("started", "restarted")
    assert (await told(wire))[0] == "stopped"


async def test_no_restarts_at_all(run):
    running = await run(shell("mine", "kill -SEGV $$", restarts=Restarts(0)))
    wire = await running.session()
    await running.registry.find("mine").start({})
    assert await told(wire) == ("started", None)
    assert await told(wire) == ("stopped", "signal 11 (SIGSEGV), too often")


async def test_a_program_that_is_gone_when_it_starts_again(run, tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    running = await run(shell("mine")._replace(command=(str(program),)))
    wire = await running.session()
    await running.registry.find("mine").start({})
    assert (await told(wire))[0] == "started"
    assert (await told(wire))[0] == "stopped"
    program.unlink()
    await until(lambda: running.timer.waiting)
    running.timer.ring()
    kind, reason = await told(wire)
    assert (kind, reason) == ("stopped", "it cannot be started: No such file or directory")
    assert running.registry.find("mine").status is Status.FAILED


async def test_stopped_while_it_waits_to_start_again(run):
    running = await run(shell("mine", CRASH))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    assert [(await told(wire))[0] for _ in range(2)] == ["started", "stopped"]
    await until(lambda: running.timer.waiting)
    await mine.stop()
    assert await told(wire) == ("stopped", None)
    assert mine.status is Status.STOPPED


async def test_one_that_is_paused_stays_so_over_a_crash(run):
    running = await run(shell("mine", "while :; do sleep 0.01; done"))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    await mine.pause()
    assert [(await told(wire))[0] for _ in range(2)] == ["started", "paused"]
    os.kill(mine.child.pid, signal.SIGKILL)
    assert await told(wire) == ("stopped", "signal 9 (SIGKILL); it starts again in 1 s")
    assert mine.status is Status.PAUSED
    await until(lambda: running.timer.waiting)
    running.timer.ring()
    assert await told(wire) == ("paused", "restarted")
    assert mine.status is Status.PAUSED
    assert mine.child is not None


async def test_a_crash_that_cannot_be_kept_is_told_all_the_same(run, caplog, monkeypatch):
    running = await run(shell("mine", CRASH, restarts=Restarts(0)))
    wire, mine = await running.session(), running.registry.find("mine")
    save = Records.save

    async def full(self: Records, name: str, record: Record, now: int) -> None:
        if record.state is State.FAILED:
            raise StoreError("the disk is full")
        await save(self, name, record, now)

    monkeypatch.setattr(Records, "save", full)
    await mine.start({})
    assert [(await told(wire))[0] for _ in range(2)] == ["started", "stopped"]
    assert "the disk is full" in caplog.text


# ------------------------------------------------------------------- its end


async def test_one_that_ends_is_stopped(run):
    running = await run(shell("mine", "echo done"))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    assert await told(wire) == ("started", None)
    assert await told(wire) == ("stopped", "exit status 0")
    assert mine.status is Status.STOPPED
    assert mine.log.tail(10) == ["done", "fastrouter: exit status 0"]
    assert running.timer.waits == []
    with pytest.raises(MessageError, match="mine is STOPPED"):
        await mine.stop()


async def test_what_it_wrote_without_a_line_s_end_is_a_line(run):
    running = await run(shell("mine", "printf boo; printf err >&2; exit 3"))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    assert await told(wire) == ("started", None)
    assert (await told(wire))[0] == "stopped"
    assert mine.log.tail(10) == ["booerr", "fastrouter: exit status 3; it starts again in 1 s"]
    await mine.stop()


async def test_one_that_is_stopped_within_a_line_begins_the_next(run):
    running = await run(shell("mine", "printf up; while :; do :; done"))
    mine = running.registry.find("mine")
    for life in (1, 2):
        await mine.start({})
        await until(lambda life=life: mine.log.tail(10) == ["up"] * life)
        await mine.stop()


async def test_its_open_orders_are_canceled_and_those_of_others_are_not(run):
    running = await run(shell("mine"), shell("other"))
    desk, mine = running.desk, running.registry.find("mine")
    await mine.start({})
    for name in ("mine", "mine", "other", ""):
        await order(desk, name)
    await mine.stop()
    assert [one.strategy_id for one in desk.broker.open_orders()] == ["other", ""]


async def test_orders_that_cannot_be_canceled(run, caplog):
    running = await run(shell("mine"))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    await order(running.desk, "mine")
    running.desk.error = StoreError("the disk is full")
    await mine.stop()
    assert [(await told(wire))[0] for _ in range(2)] == ["started", "stopped"]
    assert "orders of strategy mine stay open: the disk is full" in caplog.text


async def test_one_that_does_not_want_to_end_is_killed_with_all_it_started(run):
    script = "trap '' TERM; sleep 1000 & echo $!; echo up; while :; do sleep 0.02; done"
    running = await run(shell("mine", script, grace=0.05))
    mine = running.registry.find("mine")
    await mine.start({})
    await until(lambda: "up" in mine.log.tail(10))
    mine_pid, heir = mine.child.pid, int(mine.log.tail(10)[0])
    await mine.stop()
    await until(lambda: not there(mine_pid) and not there(heir))
    assert mine.status is Status.STOPPED


async def test_while_it_stops_it_may_still_trade(run, tmp_path):
    go = tmp_path / "go"
    script = f"trap 'while [ ! -e {go} ]; do sleep 0.01; done; exit 0' TERM; echo up; " + (
        "while :; do sleep 0.01; done"
    )
    running = await run(shell("mine", script))
    mine = running.registry.find("mine")
    await mine.start({})
    await until(lambda: "up" in mine.log.tail(10))
    stopping = asyncio.ensure_future(mine.stop())
    await until(lambda: mine.status is Status.STOPPING)
    assert running.registry.may_trade("mine") is None
    again = asyncio.ensure_future(mine.start({}))
    go.touch()
    await stopping
    await again
    assert mine.status is Status.ACTIVE


async def test_output_without_end_is_bounded(run):
    running = await run(
        shell("mine", "trap 'exit 0' TERM; while :; do echo a line of output; done")
    )
    mine = running.registry.find("mine")
    await mine.start({})
    await until(lambda: len(mine.log.lines) == mine.log.lines.maxlen)
    assert mine.log.tail(1)
    await mine.stop()
    assert mine.status is Status.STOPPED


async def test_fifty_at_once(run):
    running = await run(*(shell(f"s{number}") for number in range(50)))
    wire = await running.session()
    await asyncio.gather(*(one.start({}) for one in running.registry))
    assert {(await told(wire))[0] for _ in range(50)} == {"started"}
    pids = {one.child.pid for one in running.registry}
    assert len(pids) == 50
    await asyncio.gather(*(one.stop() for one in running.registry))
    assert {(await told(wire))[0] for _ in range(50)} == {"stopped"}
    assert not any(map(there, pids))


async def test_the_loop_has_its_turn_after_each_that_is_started(run):
    running = await run(
        *(shell(f"s{number}", autostart=True) for number in range(10)), opened=False
    )
    loop, house = asyncio.get_running_loop(), running.registry.house
    start, turn, turns = house.start, 0, []

    def count() -> None:
        nonlocal turn
        turn += 1
        if len(turns) < 10:
            loop.call_soon(count)

    async def noted(*program):
        turns.append(turn)
        return await start(*program)

    count()
    house.start = noted
    await running.registry.open()
    assert len(set(turns)) == 10


async def test_a_log_that_cannot_be_written(run, tmp_path):
    (tmp_path / "logs").write_text("no folder")
    running = await run(shell("mine"))
    mine = running.registry.find("mine")
    with pytest.raises(MessageError, match="cannot be started"):
        await mine.start({})
    assert mine.status is Status.FAILED


# ------------------------------------------------------------------- our end


async def states(running: Any) -> dict[str, Status]:
    return {one.spec.id: one.status for one in running.registry}


async def test_the_next_server_goes_on_where_the_last_one_was(run, tmp_path):
    specs = [
        *(shell(name) for name in ("active", "paused", "stopped", "never")),
        shell("failed", CRASH, restarts=Restarts(0)),
        shell("auto", autostart=True),
    ]
    store = tmp_path / "store.db"
    first = await run(*specs, store=store)
    for name in ("active", "paused", "stopped", "failed"):
        await first.registry.find(name).start({"symbols": ["AAPL"], "maxOrdersPerMinute": 3})
    await first.registry.find("paused").pause()
    await first.registry.find("stopped").stop()
    await first.registry.find("auto").stop()
    await until(lambda: first.registry.find("failed").status is Status.FAILED)
    pids = [one.child.pid for one in first.registry if one.child is not None]
    assert len(pids) == 2
    await first.end()
    assert not any(map(there, pids))
    second = await run(*specs, store=store)
    assert await states(second) == {
        "active": Status.ACTIVE,
        "paused": Status.PAUSED,
        "stopped": Status.STOPPED,
        "never": Status.STOPPED,
        "failed": Status.FAILED,
        "auto": Status.ACTIVE,
    }
    active, paused = (second.registry.find(name) for name in ("active", "paused"))
    assert active.config["symbols"] == ["S:AAPL"]
    assert second.desk.broker.limits["active"].max_orders_per_minute == 3
    assert second.registry.may_trade("paused").code == "STRATEGY_PAUSED"
    assert paused.child is not None
    await paused.start({})
    assert paused.status is Status.ACTIVE
    assert second.registry.find("failed").record.last_exit == "exit status 3, too often"


async def test_one_that_is_configured_no_more_is_forgotten(run, tmp_path):
    store = tmp_path / "store.db"
    first = await run(shell("mine"), store=store)
    await first.registry.find("mine").start({})
    await first.end()
    second = await run(shell("other"), store=store)
    assert await states(second) == {"other": Status.STOPPED}


async def test_one_that_cannot_be_started_again_does_not_hold_up_the_others(run, tmp_path, caplog):
    store = tmp_path / "store.db"
    first = await run(shell("mine"), shell("other"), store=store)
    for one in first.registry:
        await one.start({})
    await first.end()
    gone = shell("mine")._replace(command=("/nowhere",))
    second = await run(gone, shell("other"), store=store)
    assert await states(second) == {"mine": Status.FAILED, "other": Status.ACTIVE}
    assert "/nowhere cannot be started" in caplog.text


async def test_a_config_that_holds_no_more(run, tmp_path, caplog):
    """What was kept is checked as what is said; the server starts all the same."""
    store = tmp_path / "store.db"
    first = await run(shell("mine"), store=store)
    await first.registry.find("mine").start({})
    await first.end()
    second = await run(shell("mine", config={"maxPositionValue": -1}), store=store)
    assert await states(second) == {"mine": Status.FAILED}
    assert "maxPositionValue" in caplog.text


@pytest.mark.parametrize("paused", [False, True])
async def test_nothing_waits_for_a_restart_when_we_end(run, paused):
    running = await run(shell("mine", CRASH))
    wire, mine = await running.session(), running.registry.find("mine")
    await mine.start({})
    await until(lambda: running.timer.waiting)
    if paused:
        await mine.pause()
    await running.registry.close()
    kinds = [await told(wire) for _ in range(3 + paused)]
    assert kinds[-1] == ("stopped", "the server stops")
    assert mine.record.state is (State.PAUSED if paused else State.STARTED)
    running.timer.ring()
    await running.registry.close()
    assert "keeper" not in {task.get_name().split()[0] for task in asyncio.all_tasks()}


async def test_forever_says_it_is_up(run):
    running = await run(shell("mine", FOREVER))
    mine = running.registry.find("mine")
    await mine.start({})
    await until(lambda: mine.log.tail(1) == ["up"])
    assert mine.log.path.read_text() == "up\n"
