"""Deadlines of many, one timer: with a loop whose time is ours."""

from __future__ import annotations

import asyncio

import pytest

from fastrouter.net.wheel import Wheel


class Timer:
    def __init__(self, when, callback):
        self.at, self.callback, self.cancelled = when, callback, False

    def when(self):
        return self.at

    def cancel(self):
        self.cancelled = True


class Loop:
    """Just enough of an event loop."""

    def __init__(self):
        self.now = 0.0
        self.timers = []
        self.failures = []

    def call_exception_handler(self, context):
        self.failures.append(context)

    def time(self):
        return self.now

    def call_at(self, when, callback):
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def pending(self):
        return [timer for timer in self.timers if not timer.cancelled]

    def advance(self, now):
        while due := [timer for timer in self.pending() if timer.at <= now]:
            timer = min(due, key=Timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.callback()
        self.now = now


@pytest.fixture
def loop():
    return Loop()


def test_due_after_its_deadline_within_a_grain(loop):
    called = []
    wheel = Wheel(loop, lambda item: called.append((item, loop.now)), grain=0.1)
    wheel.schedule("a", 1.0)
    wheel.schedule("b", 1.02)
    wheel.schedule("c", 2.0)
    loop.advance(3.0)
    assert [item for item, _ in called] in (["a", "b", "c"], ["b", "a", "c"])
    assert all(
        0 <= at - when <= 0.11 for (_, at), when in zip(called, (1.0, 1.0, 2.0), strict=True)
    )


def test_items_of_one_grain_share_a_timer(loop):
    wheel = Wheel(loop, lambda item: None)
    for item in range(10_000):
        wheel.schedule(item, 5.01)
    assert len(loop.pending()) == 1


def test_rescheduling_replaces_and_cancel_forgets(loop):
    called = []
    wheel = Wheel(loop, called.append)
    wheel.schedule("a", 1.0)
    wheel.schedule("a", 5.0)
    wheel.schedule("b", 1.0)
    wheel.cancel("b")
    wheel.cancel("never there")
    loop.advance(4.0)
    assert called == []
    loop.advance(6.0)
    assert called == ["a"]


def test_an_earlier_deadline_moves_the_timer(loop):
    called = []
    wheel = Wheel(loop, called.append)
    wheel.schedule("late", 10.0)
    wheel.schedule("early", 1.0)
    loop.advance(2.0)
    assert called == ["early"]


def test_due_may_schedule_and_cancel_others(loop):
    called = []

    def due(item):
        called.append(item)
        wheel.schedule("again", loop.now + 1)
        wheel.cancel("other")

    wheel = Wheel(loop, due)
    wheel.schedule("first", 1.0)
    wheel.schedule("other", 1.5)
    loop.advance(1.4)
    assert called == ["first"]
    loop.advance(2.3)
    assert called == ["first", "again"]


def test_due_may_cancel_one_of_its_own_grain(loop):
    called = []

    def due(item):
        called.append(item)
        wheel.cancel("a")
        wheel.cancel("b")

    wheel = Wheel(loop, due)
    wheel.schedule("a", 1.0)
    wheel.schedule("b", 1.0)
    loop.advance(2.0)
    assert len(called) == 1


def test_one_that_raises_does_not_stop_the_others(loop):
    called = []

    def due(item):
        called.append(item)
        if item == "b":
            raise ValueError(item)

    wheel = Wheel(loop, due, grain=1.0)
    for item in "abc":
        wheel.schedule(item, 1.5)
    wheel.schedule("d", 5.0)
    loop.advance(10.0)
    assert sorted(called) == ["a", "b", "c", "d"]
    assert [str(one["exception"]) for one in loop.failures] == ["b"]


def test_nothing_runs_while_nothing_is_scheduled(loop):
    wheel = Wheel(loop, lambda item: None)
    wheel.schedule("a", 1.0)
    loop.advance(2.0)
    assert loop.pending() == []
    wheel.schedule("b", 3.0)
    wheel.close()
    assert loop.pending() == []


async def test_a_deadline_that_has_passed_already_on_a_loop_as_it_is():
    loop = asyncio.get_running_loop()
    reached, done = [], loop.create_future()

    def due(item):
        reached.append(item)
        if len(reached) == 3:
            done.set_result(None)

    wheel = Wheel(loop, due, grain=0.001)
    for item in "abc":  # uvloop gives a handle without a `when` for a time that is past
        wheel.schedule(item, loop.time() - 1.0)
    await done
    assert sorted(reached) == ["a", "b", "c"]
    wheel.close()
