import asyncio

import pytest

from fastrouter.client.inbox import Inbox
from fastrouter.core.event import Event


class Gate:
    def __init__(self, limit: int) -> None:
        self.calls: list[str] = []
        self.inbox = Inbox(
            limit,
            on_full=lambda: self.calls.append("full"),
            on_room=lambda: self.calls.append("room"),
        )


def event() -> Event:
    return Event("order", {})


async def test_all_that_is_here_is_taken_at_once():
    inbox = Gate(10).inbox
    events = [event() for _ in range(3)]
    for one in events:
        inbox.put(one)
    assert list(inbox.take()) == events
    assert not inbox.take()


async def test_the_producer_is_told_once_to_stop_and_once_to_go_on():
    gate = Gate(2)
    for _ in range(4):
        gate.inbox.put(event())
    assert gate.calls == ["full"]
    assert gate.inbox.full
    assert len(gate.inbox.take()) == 4
    assert gate.calls == ["full", "room"]
    gate.inbox.take()
    assert gate.calls == ["full", "room"]


async def test_one_wake_for_many_events():
    inbox = Gate(100).inbox
    waiting = asyncio.create_task(inbox.wait())
    await asyncio.sleep(0)
    for _ in range(5):
        inbox.put(event())
    await waiting
    assert len(inbox.take()) == 5


async def test_a_second_waiter_is_refused():
    inbox = Gate(1).inbox
    waiting = asyncio.create_task(inbox.wait())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task is waiting"):
        await inbox.wait()
    inbox.end(None)
    await waiting


async def test_a_cancelled_waiter_makes_room_for_the_next():
    inbox = Gate(1).inbox
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await inbox.wait()
    inbox.put(event())
    await inbox.wait()


async def test_the_end_comes_after_what_is_here():
    inbox = Gate(10).inbox
    inbox.put(event())
    inbox.end(ValueError("over"))
    await inbox.wait()
    assert len(inbox.take()) == 1
    await inbox.wait()
    with pytest.raises(ValueError, match="over"):
        inbox.check()


def test_a_limit_below_one():
    with pytest.raises(ValueError, match="at least 1"):
        Gate(0)
