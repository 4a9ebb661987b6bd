"""Where a run takes place: its engine, a port for events and orders, and what a program is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastrouter import config
from fastrouter.app.backtesting.asked import MINUTES, Asked
from fastrouter.app.backtesting.found import Found, find, no_row
from fastrouter.app.backtesting.outcome import Ending, Outcome, Status
from fastrouter.app.parts import Parts
from fastrouter.app.rest import Rest
from fastrouter.app.serving import url_of
from fastrouter.embed import Router
from fastrouter.engine.contents import Contents
from fastrouter.engine.desk import RunDesk
from fastrouter.engine.given import Given, Told
from fastrouter.engine.host import Ended, Engine, Hosted, Options
from fastrouter.engine.left_out import MOST_NAMED
from fastrouter.engine.news import Failed
from fastrouter.engine.query import Wanted
from fastrouter.engine.run import Run
from fastrouter.engine.track import row_of
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.route import Route

__all__ = ["Stage"]

RUN = "main"
HEARTBEAT = 86_400.0  # s: a program may think as long as it likes
EVENTS = ("order", "trade", "position", "account")  # what becomes of orders
FOREVER = 1 << 62  # ns


class _OneRun(Engine):
    """An engine whose one run is there before its client, and whose end can be waited for."""

    def __init__(self, catalog: Given, wanted: Wanted, options: Options) -> None:
        super().__init__(catalog, MonotonicClock(), options)
        self.over: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.reason = ""
        self._names_bad_rows = False  # who asked for them is told of all of them
        self.on_over = self.over.set_result
        self.hosted = self._make(wanted._replace(run=RUN, clients=1))
        self.hosted.made = FOREVER

    def _tell(self, hosted: Hosted) -> None:
        failures = [one.reason for one in hosted.run.news if isinstance(one, Failed)]
        self.reason = "".join(failures) or self.reason
        super()._tell(hosted)


class Stage:
    """Made by `open`."""

    def __init__(
        self,
        asked: Asked,
        engine: _OneRun,
        found: Found,
        environment: dict[str, str],
        note: Callable[[str], object],
    ) -> None:
        self.asked = asked
        self._note = note
        self._found = found
        self.environment = environment
        self._engine = engine

    @classmethod
    async def open(
        cls, asked: Asked, note: Callable[[str], object], afterwards: AsyncExitStack
    ) -> Stage:
        """`note` is told of rows that are left out. Raises ConfigError for an address that cannot
        be had, FeedError for data that cannot be read.
        """
        tell = _teller(note)
        found = await asyncio.to_thread(find, asked.dataset, asked.wanted.span)
        if asked.candles is None:
            asked = replace(asked, candles=() if found.contents.timeframes else MINUTES)
        catalog = Given(Told(asked.dataset, tell))
        engine = _OneRun(catalog, asked.wanted, Options(candles=asked.candles or ()))
        afterwards.push_async_callback(engine.close)
        wanted = asked.subscriptions or _subscriptions(asked, found.contents)
        where = await _serve(asked, engine, wanted, afterwards)
        environment = _environment(asked, found.contents, wanted, where)
        return cls(asked, engine, found, environment, note)

    @property
    def run(self) -> Run:
        return self._engine.hosted.run

    @property
    def desk(self) -> RunDesk:
        return self._engine.desk(RUN, None)

    @property
    def over(self) -> asyncio.Future[Ended]:
        """The run's end."""
        return self._engine.over

    def check_rows(self) -> None:
        """Before anybody comes. Raises Ending when nothing can happen, as there is no row."""
        if self._found.contents.symbols:
            return
        left_out = self._found.left_out
        self.run.bad_rows = left_out.count
        for row, why in left_out.named:
            self._note(f"{row} is left out: {why}")
        raise Ending(Status.FAILED, "NO_ROWS", self._found.lacks(self.asked.wanted))

    def check(self) -> None:
        """Of a run that is over. Raises Ending when it is not complete."""
        why = self.over.result().why
        if why == "failed":
            raise Ending(Status.FAILED, "DATA_ERROR", self._engine.reason)
        if why != "completed":
            raise Ending(Status.LEFT, "CLIENT_LEFT", "the run's client has gone for good")
        if self.unknown:
            self._note(no_row(self.unknown))

    @property
    def unknown(self) -> list[str]:
        """Symbols that were asked for by name and have had no event."""
        return self._engine.hosted.unknown_symbols()

    @property
    def unnamed(self) -> int:
        """Rows that are left out and were not named."""
        return max(0, self.run.totals().bad_rows - MOST_NAMED)

    def fill(self, outcome: Outcome) -> None:
        """See `Outcome.fill`."""
        outcome.fill(self.run, self.desk)


def _teller(note: Callable[[str], object]) -> Callable[[Path, int, str], None]:
    """Names the first rows that are left out; all of them could be more than the run."""
    loop = asyncio.get_running_loop()
    left = MOST_NAMED

    def tell(path: Path, number: int, why: str) -> None:
        nonlocal left
        if not left:
            return
        left -= 1
        loop.call_soon_threadsafe(note, f"{row_of(path, number)} is left out: {why}")

    return tell


async def _serve(
    asked: Asked, engine: Engine, subscriptions: str, afterwards: AsyncExitStack
) -> str:
    """Listen, for WebSockets and for REST; where, without scheme and path.

    Who names no subscriptions has those.
    """
    router = Router()
    group = router.group()
    afterwards.push_async_callback(group.close, 0)
    route = Route("/ws", manners="backtest", subscriptions=subscriptions, venue=engine)
    parts = Parts(router, engine=engine)
    rest = await Rest.start(parts, group, config.Settings(), [route])
    more: dict[str, Any] = {}
    if rest is not None:
        afterwards.push_async_callback(rest.close)
        more["speaks"] = rest.speaks
    server = await group.serve(asked.host, asked.port, [route], heartbeat=HEARTBEAT, **more)
    if rest is not None:
        rest.server = server
    return url_of(server, "").removeprefix("://")


def _environment(
    asked: Asked, contents: Contents, subscriptions: str, where: str
) -> dict[str, str]:
    """What a program finds in its environment; what it is to trade may be there already."""
    symbols = ",".join(contents.symbols)
    ours = {"STRATEGY_ID": "backtest", "STRATEGY_SYMBOLS": symbols, "STRATEGY_CONFIG": "{}"}
    found = {name: os.environ.get(name, value) for name, value in ours.items()}
    if asked.wanted.symbols is not None:
        found["STRATEGY_SYMBOLS"] = ",".join(asked.wanted.symbols)
    return {
        **found,
        "SUBSCRIPTIONS": subscriptions,
        "PROXY_WS_URL": f"ws://{where}/ws?run={RUN}&clients=1",
        "PROXY_REST_URL": f"http://{where}/v1/runs/{RUN}",
    }


def _subscriptions(asked: Asked, contents: Contents) -> str:
    """What the data has, what is built of it, and what becomes of orders."""
    quotes = ["*:quote"] if "quotes" in contents.kinds else []
    timeframes = dict.fromkeys((*contents.timeframes, *(asked.candles or ())))
    candles = [f"*:candle@{timeframe}" for timeframe in timeframes]
    return ",".join([*quotes, *candles, *(f"*:{event}" for event in EVENTS)])
