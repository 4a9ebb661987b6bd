"""The drain with a clock and sessions of our own."""

from __future__ import annotations

import re
from random import Random

import pytest

from fastrouter.net.drain import SPREAD, STEP, Drain


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Fake:
    """A session that answers its close at once, unless it is blocked or mute."""

    def __init__(self, fleet: Fleet, *, until: float = 0, mute: bool = False) -> None:
        self.fleet = fleet
        self.until = until
        self.mute = mute
        self.closed: tuple[float, int, str] | None = None
        self.cut: float | None = None

    @property
    def waiting(self) -> bool:
        return self.fleet.passed < self.until

    def close(self, code: int, reason: str = "") -> None:
        assert not self.waiting
        self.closed = (self.fleet.passed, code, reason)
        if not self.mute:
            self.fleet.open.discard(self)

    def abort(self) -> None:
        self.cut = self.fleet.passed
        self.fleet.open.discard(self)


class Fleet:
    def __init__(self) -> None:
        self.clock = Clock()
        self.began = self.clock.time
        self.open: set[Fake] = set()

    @property
    def passed(self) -> float:
        return self.clock.time - self.began

    def add(self, count: int = 1, **how) -> list[Fake]:
        new = [Fake(self, **how) for _ in range(count)]
        self.open |= set(new)
        return new

    def drain(self, grace: float) -> Drain:
        clock = self.clock
        return Drain(self.open, grace, now=clock.now, sleep=clock.sleep, random=Random(1))


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


async def test_one_session_is_closed_at_once(fleet):
    (one,) = fleet.add()
    drain = fleet.drain(10)
    await drain.run()
    assert one.closed[0] == 0
    assert drain.cut == 0
    assert fleet.passed <= STEP * 1.01


@pytest.mark.parametrize(("count", "width"), [(200, 1.0), (1000, 5.0), (5000, 8.0)])
async def test_many_are_spread_evenly_and_in_no_order(fleet, count, width):
    sessions = fleet.add(count)
    order = list(fleet.open)
    await fleet.drain(10).run()
    times = sorted(session.closed[0] for session in sessions)
    assert times[-1] == pytest.approx(width, abs=2 * STEP)
    for tenth in range(10):
        within = sum(1 for time in times if tenth <= time / width * 10 < tenth + 1)
        assert within == pytest.approx(count / 10, rel=0.2)
    assert order != sorted(order, key=lambda session: session.closed[0])


async def test_returns_are_spread_wider_than_closes(fleet):
    sessions = fleet.add(1000)
    await fleet.drain(10).run()
    pattern = r"draining; retry_after=(\d+\.\d)"
    delays = [float(re.fullmatch(pattern, session.closed[2])[1]) for session in sessions]
    assert {session.closed[1] for session in sessions} == {1001}
    assert min(delays) >= SPREAD.soonest
    assert max(delays) - min(delays) > 2 * SPREAD.closing(1000, 10)
    assert max(len(session.closed[2]) for session in sessions) <= 123


async def test_one_that_is_blocked_is_closed_when_it_has_its_bytes(fleet):
    (slow,), others = fleet.add(until=3.0), fleet.add(10)
    await fleet.drain(10).run()
    assert all(other.closed[0] < 0.1 for other in others)
    assert slow.closed[0] == pytest.approx(3.0, abs=2 * STEP)
    assert slow.cut is None


async def test_one_that_stays_blocked_is_cut_at_the_end(fleet):
    (stuck,), (mute,) = fleet.add(until=99), fleet.add(mute=True)
    drain = fleet.drain(2)
    await drain.run()
    assert drain.cut == 2
    assert stuck.closed is None
    assert mute.closed is not None
    assert stuck.cut == mute.cut == pytest.approx(2, abs=2 * STEP)


@pytest.mark.parametrize("grace", [0, 1e-9])
async def test_no_grace(fleet, grace):
    sessions = fleet.add(3) + fleet.add(until=1)
    await fleet.drain(grace).run()
    assert not fleet.open
    assert all(session.closed or session.cut is not None for session in sessions)


async def test_it_ends_when_all_have_gone(fleet):
    fleet.add(until=5)
    drain = fleet.drain(10)
    fleet.open.clear()
    await drain.run()
    assert fleet.passed == 0


async def test_cut_off_early_counts_each_once(fleet):
    """… also when its connection takes a turn to be lost."""
    (stuck,), _ = fleet.add(until=99), fleet.add(until=1)
    drain = fleet.drain(10)
    await fleet.clock.sleep(2)
    drain.cut_off()
    fleet.open.add(stuck)
    await drain.run()
    assert drain.cut == 2


async def test_cancelled_it_cuts_what_is_left(fleet):
    (stuck,) = fleet.add(until=99)
    drain = fleet.drain(10)

    async def interrupt(seconds: float) -> None:
        raise KeyError

    drain._sleep = interrupt
    with pytest.raises(KeyError):
        await drain.run()
    assert stuck.cut is not None
