"""Feeds that fail and come back; sleeping is the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fastrouter.errors import FeedError
from fastrouter.feeds.supply import LONGEST, LOOK, Supply


class Script:
    """Does one run as told: publishes, says states, then ends or fails."""

    def __init__(self, *steps: object) -> None:
        self.on_state: Callable[[bool], None] | None = None
        self.on_gap: Callable[[str], None] | None = None
        self.published = self.bad_rows = 0
        self._steps = steps

    def describe(self) -> str:
        return "script"

    async def run(self, router) -> None:
        for step in self._steps:
            if isinstance(step, tuple):
                assert self.on_gap is not None
                self.on_gap(*step)
            elif isinstance(step, bool):
                assert self.on_state is not None
                self.on_state(step)
            elif isinstance(step, int):
                self.published += step
                await asyncio.sleep(0)
            else:
                raise FeedError(str(step))


class Stage:
    """What a supply is given, and what came of it."""

    def __init__(self, *runs: Script | FeedError, retry: float = 1.0) -> None:
        self.runs = list(runs)
        self.states: list[bool] = []
        self.delays: list[float] = []
        self.outcomes: list[str] = []
        self.supply = Supply(
            self.open,
            retry_seconds=retry,
            report=lambda feed, outcome, seconds: self.outcomes.append(outcome),
            sleep=self.sleep,
        )
        self.supply.on_state = self.states.append

    def open(self) -> Script:
        run = self.runs.pop(0)
        if isinstance(run, FeedError):
            raise run
        return run

    async def sleep(self, seconds: float) -> None:
        if seconds != LOOK:
            self.delays.append(seconds)
        await asyncio.sleep(0)

    async def run(self) -> None:
        await self.supply.run(None)  # type: ignore[arg-type]


async def test_a_feed_that_ends():
    stage = Stage(Script(3))
    await stage.run()
    assert (stage.states, stage.outcomes) == ([], ["feed ended"])


async def test_without_retry_a_failure_is_the_end():
    stage = Stage(Script(3, "gone"), retry=0)
    with pytest.raises(FeedError, match="gone"):
        await stage.run()
    assert (stage.states, stage.outcomes) == ([], ["feed failed"])


async def test_a_feed_that_cannot_be_opened_at_first_is_the_callers():
    with pytest.raises(FeedError, match="no such file"):
        Stage(FeedError("no such file"))


async def test_it_is_back_when_the_next_one_gives_something():
    stage = Stage(Script(1, "gone"), Script(0, 0, "silent"), Script(0, 1, 1, 1))
    await stage.run()
    assert stage.states == [False, True]
    assert stage.outcomes == ["feed failed", "feed failed", "feed ended"]


async def test_it_is_back_when_the_next_one_ends_well():
    stage = Stage(Script(1, "gone"), Script())
    await stage.run()
    assert stage.states == [False, True]


async def test_attempts_grow_rarer_and_start_over():
    runs = [Script(1, "gone"), *[FeedError("not there")] * 8, Script(0, 1, 1, "gone"), Script(1)]
    stage = Stage(*runs)
    await stage.run()
    assert stage.delays == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST, 1]
    assert stage.states == [False, True, False, True]


async def test_a_feed_that_says_so_itself():
    stage = Stage(Script(1, False, False, True, True, False, True))
    await stage.run()
    assert stage.states == [False, True, False, True]


async def test_stopped():
    stage = Stage(Script(*[0] * 1000))
    running = asyncio.ensure_future(stage.run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stage.outcomes == ["feed stopped"]


async def test_a_gap_of_any_feed_is_passed_on():
    stage = Stage(Script(("one",), "gone"), Script(("two",)))
    gaps: list[str] = []
    stage.supply.on_gap = gaps.append
    await stage.supply.run(None)
    assert gaps == ["one", "two"]
