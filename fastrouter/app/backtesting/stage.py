"""One run over history, with a program that is started for it, or whoever connects.

::

    data ──▶ engine ──▶ a port ──▶ COMMAND
                          desk  ◀──┘ orders
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from fastrouter.app.output import Output
from fastrouter.app.server import run
from fastrouter.app.serving import url_of
from fastrouter.app.stop import Stop
from fastrouter.control.child import Child
from fastrouter.core.leaves import iso8601
from fastrouter.embed import Router
from fastrouter.engine.contents import Contents, extent, look
from fastrouter.engine.dataset import Dataset
from fastrouter.engine.given import Given, Told, given
from fastrouter.engine.host import Engine, Hosted, Options
from fastrouter.engine.news import Completed, Failed, News
from fastrouter.engine.query import Wanted
from fastrouter.engine.track import Reading
from fastrouter.errors import ConfigError, MessageError
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.group import Group
from fastrouter.net.route import Route

__all__ = ["Asked", "Ending", "Outcome", "Status", "View", "backtest", "dataset_of", "wanted_of"]

RUN = "main"
HEARTBEAT = 86_400.0  # s: a program may think as long as it likes
MOMENT = 0.1  # s between two looks at how far it is
AFTERWARDS = 1.0  # s for what a program sent last to be read
STOPPING = 2.0  # s between SIGTERM and SIGKILL
EVENTS = ("order", "trade", "position")


class Status(IntEnum):
    """How the command ends."""

    COMPLETE = 0
    FAILED = 1  # the data cannot be read on, or a file cannot be written
    MISUSED = 2  # an option, data that is not there, a COMMAND that cannot be started
    LEFT = 3  # COMMAND ended before the run did, or never came
    TIMED_OUT = 124
    INTERRUPTED = 130


class Ending(Exception):
    """The run is not complete: why, as a code and in words."""

    def __init__(self, status: Status, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be run. Seconds are of wall time."""

    dataset: Dataset
    command: Sequence[str] = ()  # nobody: whoever connects
    wanted: Wanted = field(default_factory=Wanted)
    subscriptions: str | None = None  # None: what the data has, and orders
    candles: tuple[str, ...] = ()  # built from quotes
    host: str = "127.0.0.1"
    port: int = 0
    patience: float = 60.0  # for COMMAND to connect
    grace: float = 5.0  # for COMMAND to end when the run has
    timeout: float | None = None  # for all of it


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it, as far as it went."""

    dataset: str
    events: int = 0
    instants: int = 0
    first: str | None = None
    last: str | None = None
    wall_seconds: float = 0.0
    bad_rows: int = 0
    report: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    status: Status = Status.COMPLETE


class View(Protocol):
    """Who is told while it runs."""

    def waits(self, environment: dict[str, str]) -> None:
        """It is ready, and there is no COMMAND: somebody has to connect."""

    def begin(self, first: int, last: int) -> None:
        """The data's first and last instant, ns."""

    def move(self, time: int, events: int, orders: int) -> None:
        """How far it is, some times a second."""

    def end(self) -> None:
        """It is over, one way or another."""

    def note(self, message: str) -> None:
        """Something that whoever runs it should know."""

    def write(self, data: bytes) -> None:
        """COMMAND's output."""


class _Watched(Engine):
    """An engine of one run, whose end can be waited for."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.over: asyncio.Future[News | None] = asyncio.get_running_loop().create_future()
        self.hosted: Hosted | None = None

    def prepare(self, wanted: Wanted) -> None:
        """Make the run, which is there then however late its client comes."""
        self.hosted = self._make(wanted._replace(run=RUN, clients=1))
        self.hosted.made = 1 << 62

    def _tell(self, hosted: Hosted) -> None:
        news = [one for one in hosted.run.news if isinstance(one, Completed | Failed)]
        super()._tell(hosted)
        if hosted.run.over and not self.over.done():
            self.over.set_result(news[0] if news else None)


def dataset_of(data: Sequence[str], folder: Path | None, **reading: Any) -> Dataset:
    """The data that is named; `reading` are fields of `engine.track.Reading`. Raises FeedError."""
    return given(data, folder, Reading(**reading))


def wanted_of(options: Mapping[str, str | None]) -> Wanted:
    """What of the data is wanted, by start, end, symbols and window. Raises ConfigError."""
    named = {name: text for name, text in options.items() if text is not None}
    try:
        return Wanted.read(named, named.get)
    except MessageError as error:
        raise ConfigError(str(error)) from None


def backtest(asked: Asked, view: View) -> Outcome:
    """Run it to its end. Raises FeedError and ConfigError for what cannot even begin."""
    return run(_backtest(asked, view))


async def _backtest(asked: Asked, view: View) -> Outcome:
    stop = Stop()
    contents = await asyncio.to_thread(look, asked.dataset, asked.wanted.span)
    outcome = Outcome(dataset=asked.dataset.name)
    async with AsyncExitStack() as afterwards:
        stage = await _Stage.open(asked, contents, view, afterwards)
        try:
            await _until(stop, asked.timeout, stage.play())
        except Ending as ending:
            outcome.status = ending.status
            outcome.error = {"code": ending.code, "message": str(ending)}
        finally:
            view.end()
        stage.fill(outcome)
    return outcome


async def _until(stop: Stop, seconds: float | None, playing: Any) -> None:
    """Let it play, unless a signal or the clock ends it before. Raises Ending."""
    play = asyncio.ensure_future(playing)
    asked = asyncio.ensure_future(stop.asked.wait())
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


class _Stage:
    """Engine, port and program of one run."""

    def __init__(self, asked: Asked, contents: Contents, view: View, engine: _Watched) -> None:
        self.asked = asked
        self.contents = contents
        self.view = view
        self.engine = engine
        self.environment: dict[str, str] = {}

    @classmethod
    async def open(
        cls, asked: Asked, contents: Contents, view: View, afterwards: AsyncExitStack
    ) -> _Stage:
        """Raises ConfigError for an address that cannot be had."""

        def tell(path: Path, number: int, why: str) -> None:
            unit = "row" if path.suffix == ".parquet" else "line"
            loop.call_soon_threadsafe(view.note, f"{path}: {unit} {number} is left out: {why}")

        loop = asyncio.get_running_loop()
        engine = _Watched(
            Given(Told(asked.dataset, tell)),
            MonotonicClock(),
            Options(dataset=asked.dataset.name, candles=asked.candles),
        )
        afterwards.push_async_callback(engine.close)
        group: Group = Router().group()
        afterwards.push_async_callback(group.close, 0)
        route = Route("/ws", manners="backtest", venue=engine)
        server = await group.serve(asked.host, asked.port, [route], heartbeat=HEARTBEAT)
        engine.prepare(asked.wanted)
        stage = cls(asked, contents, view, engine)
        stage.environment = stage.surroundings(url_of(server, "ws", "/ws"), "")
        return stage

    def surroundings(self, ws: str, rest: str) -> dict[str, str]:
        """What the program finds in its environment."""
        symbols = self.asked.wanted.symbols or self.contents.symbols
        return {
            "STRATEGY_ID": os.environ.get("STRATEGY_ID", "backtest"),
            "SUBSCRIPTIONS": self.asked.subscriptions or self.subscriptions(),
            "STRATEGY_SYMBOLS": os.environ.get("STRATEGY_SYMBOLS", ",".join(symbols)),
            "STRATEGY_CONFIG": os.environ.get("STRATEGY_CONFIG", "{}"),
            "PROXY_WS_URL": f"{ws}?run={RUN}&clients=1",
            "PROXY_REST_URL": f"{rest}/v1/runs/{RUN}",
        }

    def subscriptions(self) -> str:
        """What the data has, what is built of it, and what becomes of orders."""
        market = ["*:quote"] if "quotes" in self.contents.kinds else []
        timeframes = dict.fromkeys((*self.contents.timeframes, *self.asked.candles))
        market += [f"*:candle@{timeframe}" for timeframe in timeframes]
        return ",".join([*market, *(f"*:{event}" for event in EVENTS)])

    async def play(self) -> None:
        """To the run's end. Raises Ending."""
        looking = asyncio.create_task(self._look())
        try:
            await (self._with_child() if self.asked.command else self._with_anybody())
        finally:
            looking.cancel()
            await asyncio.wait({looking})

    def fill(self, outcome: Outcome) -> None:
        """What can be told of the run."""
        hosted = self.engine.hosted
        if hosted is None:
            return
        totals = hosted.run.totals().fields(iso8601)
        for name in ("events", "instants", "first", "last", "wall_seconds", "bad_rows"):
            setattr(outcome, name, totals[name])

    async def _look(self) -> None:
        """Tell the view how far it is."""
        first, last = await asyncio.to_thread(extent, self.asked.dataset, self.asked.wanted.span)
        self.view.begin(first, last)
        while True:
            self._move()
            await asyncio.sleep(MOMENT)

    def _move(self) -> None:
        hosted = self.engine.hosted
        if hosted is not None and hosted.run.begun:
            self.view.move(hosted.run.clock.time_ns(), hosted.run.router.last_id, 0)

    async def _with_anybody(self) -> None:
        self.view.waits(self.environment)
        self._check(await self.engine.over)

    async def _with_child(self) -> None:
        command = self.asked.command
        try:
            environment = {**os.environ, "PYTHONUNBUFFERED": "1", **self.environment}
            child = await Child.start(command, environment, Output(self.view.write))
        except OSError as error:
            raise Ending(
                Status.MISUSED, "COMMAND_FAILED", f"{command[0]}: {error.strerror or error}"
            ) from None
        ended = asyncio.ensure_future(child.wait())
        try:
            await self._follow(ended)
            await self._finish(ended)
        finally:
            if not ended.done():
                await asyncio.shield(child.stop(STOPPING))

    async def _follow(self, ended: asyncio.Future[int]) -> None:
        """Until the run is over. Raises Ending when the program is over before."""
        over = self.engine.over
        either: set[asyncio.Future[Any]] = {over, ended}
        await asyncio.wait(either, timeout=self.asked.patience, return_when=asyncio.FIRST_COMPLETED)
        if not (over.done() or ended.done()):
            if not self._begun:
                raise Ending(
                    Status.LEFT,
                    "COMMAND_SILENT",
                    f"COMMAND did not connect to PROXY_WS_URL within {self.asked.patience:g} s",
                )
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not over.done():  # what it sent last may not be read yet
            await asyncio.wait({over}, timeout=AFTERWARDS)
        if not over.done():
            raise self._left(ended.result())
        self._check(over.result())

    @property
    def _begun(self) -> bool:
        return self.engine.hosted is not None and self.engine.hosted.run.begun

    def _left(self, status: int) -> Ending:
        """Why a program that has ended leaves the run open."""
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        if not self._begun:
            return Ending(Status.LEFT, "COMMAND_LEFT", f"COMMAND {how} and had not connected")
        hosted = self.engine.hosted
        assert hosted is not None
        owed = sum(member.offered - member.acknowledged for member in hosted.run.members)
        rest = f", {owed} events unacknowledged" if owed else ""
        return Ending(Status.LEFT, "COMMAND_LEFT", f"COMMAND {how} before the run was over{rest}")

    async def _finish(self, ended: asyncio.Future[int]) -> None:
        """Give the program its time to end."""
        await asyncio.wait({ended}, timeout=self.asked.grace)
        if not ended.done():
            self.view.note(f"COMMAND did not end within {self.asked.grace:g} s of the run's end")
        elif ended.result():
            self.view.note(f"COMMAND ended with status {ended.result()} after the run was over")

    def _check(self, news: News | None) -> None:
        """Raises Ending for a run that is over and not complete."""
        if isinstance(news, Failed):
            raise Ending(Status.FAILED, "DATA_ERROR", news.reason)
        if not isinstance(news, Completed):
            raise Ending(Status.LEFT, "CLIENT_LEFT", "the run's client has gone for good")
