"""A program that is kept running; what a strategy makes of it is in `test_strategy`."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from fastrouter.control.child import Child, Log
from fastrouter.control.strategies.backoff import Backoff
from fastrouter.control.strategies.keeper import Keeper
from fastrouter.control.strategies.spec import Restarts

from ...net.wire import until
from .house import FOREVER, FakeTimer


class Watcher:
    def __init__(self) -> None:
        self.told: list[tuple] = []

    def __getattr__(self, name: str):
        async def tell(*what: object) -> None:
            self.told.append((name, *what))

        return tell


class Launcher:
    """Runs scripts one after the other; waits before each if told to."""

    def __init__(self, *scripts: str) -> None:
        self.scripts = list(scripts)
        self.log = Log(None)
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0

    async def __call__(self) -> Child:
        self.asked += 1
        await self.gate.wait()
        command = ("/bin/sh", "-c", self.scripts.pop(0))
        return await Child.start(command, {"PATH": "/usr/bin:/bin"}, self.log)


def keeper(launcher: Launcher, watcher: Watcher, timer: FakeTimer) -> Keeper:
    return Keeper(launcher, Backoff(Restarts()), watcher, timer.timer, 1.0)


async def test_until_it_ends():
    launcher, watcher, timer = Launcher("exit 1", "exit 0"), Watcher(), FakeTimer()
    kept = keeper(launcher, watcher, timer)
    await kept.start()
    await until(lambda: timer.waiting)
    assert kept.child is None
    timer.ring()
    await kept.settled()
    assert watcher.told == [("crashed", "exit status 1", 1.0), ("restarted",), ("ended",)]
    await kept.stop()


async def test_stopped_while_it_is_being_started_again():
    launcher, watcher, timer = Launcher("exit 1", FOREVER), Watcher(), FakeTimer()
    kept = keeper(launcher, watcher, timer)
    await kept.start()
    await until(lambda: timer.waiting)
    launcher.gate.clear()
    timer.ring()
    await until(lambda: launcher.asked == 2)
    stopping = asyncio.ensure_future(kept.stop())
    await asyncio.sleep(0)
    launcher.gate.set()
    await stopping
    assert kept.child is None
    assert watcher.told == [("crashed", "exit status 1", 1.0)]


async def test_stopped_twice_and_by_two():
    launcher, watcher = Launcher(FOREVER), Watcher()
    kept = keeper(launcher, watcher, FakeTimer())
    await kept.start()
    await until(lambda: launcher.log.tail(1) == ["up"])
    await asyncio.gather(kept.stop(), kept.stop())
    await kept.stop()
    assert watcher.told == []


async def test_it_raises_when_there_is_no_program():
    async def launch() -> Child:
        return await Child.start(("/nowhere",), {}, Log(None))

    kept = keeper(launch, Watcher(), FakeTimer())
    with pytest.raises(FileNotFoundError):
        await kept.start()
    await kept.stop()


async def test_who_kills_it_is_told_of():
    launcher, watcher, timer = Launcher(FOREVER), Watcher(), FakeTimer()
    kept = keeper(launcher, watcher, timer)
    await kept.start()
    os.kill(kept.child.pid, signal.SIGKILL)
    await until(lambda: timer.waiting)
    assert watcher.told == [("crashed", "signal 9 (SIGKILL)", 1.0)]
    await kept.stop()


async def test_our_own_fault_is_no_end_in_silence(caplog):
    launcher, watcher, timer = Launcher("exit 1"), Watcher(), FakeTimer()
    kept = keeper(launcher, watcher, timer)
    await kept.start()
    await until(lambda: timer.waiting)
    timer.ring()  # there is no second script
    await kept.settled()
    assert watcher.told[-1] == ("failed", "see the server's log: IndexError('pop from empty list')")
    assert "a keeper of a program" in caplog.text
