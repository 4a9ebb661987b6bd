"""A run from its program's start to its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from fastrouter.app.backtesting.asked import Asked
from fastrouter.app.backtesting.outcome import Ending, Outcome, Status
from fastrouter.app.backtesting.output import Output
from fastrouter.app.backtesting.stage import Stage
from fastrouter.app.backtesting.view import View
from fastrouter.app.server import run
from fastrouter.app.stop import Stop
from fastrouter.control.child import Child
from fastrouter.engine.contents import extent
from fastrouter.errors import FeedError

__all__ = ["backtest"]

MOMENT = 0.1  # s between two looks at how far it is
AFTERWARDS = 1.0  # s for what a program sent last to be read
STOPPING = 2.0  # s between SIGTERM and SIGKILL


def backtest(asked: Asked, view: View) -> Outcome:
    """Run it to its end. Raises FeedError and ConfigError for what cannot even begin."""
    return run(_backtest(asked, view))


async def _backtest(asked: Asked, view: View) -> Outcome:
    stop = Stop()
    outcome = Outcome(dataset=asked.dataset.name)
    async with AsyncExitStack() as afterwards:
        stage = await Stage.open(asked, view.note, afterwards)
        try:
            await _until(stop, asked.timeout, _play(stage, view))
        except Ending as ending:
            outcome.fail(ending)
        finally:
            view.end()
            if stage.unnamed:
                view.note(f"… and {stage.unnamed:,} rows more are left out")
        stage.fill(outcome)
    return outcome


async def _until(stop: Stop, seconds: float | None, playing: Coroutine[Any, Any, None]) -> None:
    """Let it play, unless a signal or the clock ends it before. Raises Ending."""
    play = asyncio.create_task(playing)
    asked = asyncio.create_task(stop.asked.wait())
    await asyncio.wait({play, asked}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    interrupted = asked.done()
    asked.cancel()
    if not play.done():
        play.cancel()
        await asyncio.wait({play})
        if interrupted:
            raise Ending(Status.INTERRUPTED, "INTERRUPTED", "a signal ended it")
        raise Ending(Status.TIMED_OUT, "TIMEOUT", f"it was not over within {seconds:g} s")
    play.result()


async def _play(stage: Stage, view: View) -> None:
    """To the run's end, if there is anything to run. Raises Ending."""
    stage.check_rows()
    looking = asyncio.create_task(_look(stage, view))
    try:
        if stage.asked.command:
            await _with_child(stage, view)
        else:
            view.waits(stage.environment)
            await stage.over
        stage.check()
    finally:
        looking.cancel()
        await asyncio.wait({looking})


async def _look(stage: Stage, view: View) -> None:
    """Tell the view how far it is."""
    asked, run = stage.asked, stage.run
    try:
        ends = await asyncio.to_thread(extent, asked.dataset, asked.wanted.span)
    except (FeedError, OSError):  # the run will say so, when it comes there
        ends = None
    view.begin(*(ends or (0, 0)))
    while True:
        if run.begun:
            orders = stage.desk.broker.ledger.account.sequence
            view.move(run.clock.time_ns(), run.router.last_id, orders)
        await asyncio.sleep(MOMENT)


async def _with_child(stage: Stage, view: View) -> None:
    """To the end of the run and of its program. Raises Ending when that is over before."""
    command = stage.asked.command
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **stage.environment}
    try:
        child = await Child.start(command, environment, Output(view.write))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise Ending(Status.MISUSED, "COMMAND_FAILED", f"{command[0]}: {why}") from None
    ended = asyncio.ensure_future(child.wait())
    try:
        await _follow(stage, ended)
        await asyncio.wait({ended}, timeout=stage.asked.grace)
        if not ended.done():
            view.note(f"COMMAND did not end within {stage.asked.grace:g} s of the run's end")
        elif ended.result():
            view.note(f"COMMAND ended with status {ended.result()} after the run was over")
    finally:
        if not ended.done():
            await child.stop(STOPPING)
        await ended


async def _follow(stage: Stage, ended: asyncio.Future[int]) -> None:
    """Until the run is over."""
    over, patience = stage.over, stage.asked.patience
    either: set[asyncio.Future[Any]] = {over, ended}
    await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    if not (over.done() or ended.done()):
        if not stage.run.begun:
            raise Ending(
                Status.LEFT,
                "COMMAND_SILENT",
                f"COMMAND did not connect to PROXY_WS_URL within {patience:g} s",
            )
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not over.done():  # what it sent last may not be read yet
        await asyncio.wait({over}, timeout=AFTERWARDS)
    if not over.done():
        raise _left(stage, ended.result())


def _left(stage: Stage, status: int) -> Ending:
    """Why a program that has ended leaves the run open."""
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    if not stage.run.begun:
        return Ending(Status.LEFT, "COMMAND_LEFT", f"COMMAND {how} and had not connected")
    owed = sum(member.offered - member.acknowledged for member in stage.run.members)
    rest = f"; unacknowledged events: {owed}" if owed else ""
    return Ending(Status.LEFT, "COMMAND_LEFT", f"COMMAND {how} before the run was over{rest}")
