"""An alarm rings when a clock reaches a time, on a loop that only knows how long to wait."""

from __future__ import annotations

import asyncio

import pytest

from fastrouter.core.clock import Clock
from fastrouter.net.alarm import LONGEST, SHORTEST, Alarm

SECOND = 10**9


class Handle:
    cancelled = False

    def cancel(self):
        self.cancelled = True


class Loop:
    """Keeps what it was asked to call."""

    def __init__(self):
        self.calls = []

    def call_later(self, seconds, callback):
        self.calls.append((seconds, callback, Handle()))
        return self.calls[-1][2]


@pytest.fixture
def loop(monkeypatch):
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


@pytest.fixture
def rung():
    return []


@pytest.fixture
def alarm(rung):
    return Alarm(Clock(100 * SECOND), lambda: rung.append(1))


@pytest.mark.parametrize(
    ("at", "seconds"),
    [(102, 2), (100, SHORTEST), (7, SHORTEST), (100 + 3600, LONGEST)],
)
def test_it_rings_when_the_clock_is_there(alarm, loop, rung, at, seconds):
    alarm.set(at * SECOND)
    ((found, callback, _),) = loop.calls
    assert found == pytest.approx(seconds)
    callback()
    assert rung == [1]


def test_it_is_asked_for_once(alarm, loop):
    for _ in range(3):
        alarm.set(102 * SECOND)
    assert len(loop.calls) == 1


def test_the_last_time_it_was_set_to_holds(alarm, loop):
    alarm.set(102 * SECOND)
    alarm.set(101 * SECOND)
    assert [handle.cancelled for *_, handle in loop.calls] == [True, False]
    alarm.set(None)
    assert [handle.cancelled for *_, handle in loop.calls] == [True, True]


def test_it_rings_once_and_can_be_set_to_the_same_time_again(alarm, loop, rung):
    alarm.set(102 * SECOND)
    loop.calls[0][1]()
    alarm.set(102 * SECOND)
    assert len(loop.calls) == 2
    assert rung == [1]


def test_unset_it_needs_no_loop(alarm):
    alarm.set(None)
