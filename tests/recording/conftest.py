"""Servers to record from: a live one, and one of backtests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import fastrouter
from fastrouter import Candle, Event, Quote, Router
from fastrouter.client import Connection, Options
from fastrouter.commands.record import Recorder
from fastrouter.engine import host
from fastrouter.errors import ConnectionFailed
from fastrouter.feeds.synthetic import SyntheticFeed
from fastrouter.recording import Recording

from ..backtests import backtests
from ..net.wire import until

START = 1_735_689_600 * 10**9
TIMEFRAMES = ("1s", "15s", "1m")
ITEMS = ["*:quote", *(f"*:candle@{name}" for name in TIMEFRAMES)]

Seen = list[tuple[Any, ...]]


def told(event: Quote | Candle | Event) -> tuple[Any, ...] | None:
    """What there is to compare of a quote or a closed candle.

    Not a candle's seq: live it counts those that form, too.
    """
    if isinstance(event, Quote):
        sizes = event.bid_size, event.ask_size
        return (
            "quote",
            event.symbol,
            event.time,
            event.bid,
            event.ask,
            event.last,
            *sizes,
            event.seq,
        )
    if isinstance(event, Candle) and event.closed:
        prices = event.open, event.high, event.low, event.close
        return "candle", event.symbol, event.time, event.timeframe, *prices, event.volume
    return None


async def seen(url: str) -> Seen:
    """All of a session up to the server's end, in its order; a backtest is acknowledged."""
    found: Seen = []
    with contextlib.suppress(ConnectionFailed):
        async with fastrouter.connect(url, ITEMS, ack=True, reconnect=False) as session:
            while events := await session.take():
                found += filter(None, map(told, events))
    return found


async def recorded(url: str, out: Path, **options: Any) -> Recorder:
    """Record up to the server's end, or so many rows."""
    recorder = Recorder(
        Connection(Options(url=url, subscriptions=ITEMS, reconnect=False)),
        Recording(out, options.pop("suffix", ".parquet")),
        **options,
    )
    with contextlib.suppress(ConnectionFailed):
        await recorder.take()
    recorder.finish()
    return recorder


@asynccontextmanager
async def live(sessions: int, quotes: int) -> AsyncIterator[str]:
    """A server that, once the block is done and so many have come, publishes, and ends."""
    router = Router(candles=TIMEFRAMES)
    server = await router.serve("127.0.0.1", 0)
    feed = SyntheticFeed(symbols=5, rate=None, limit=quotes, start=START)
    yield f"ws://127.0.0.1:{server.port}/ws"
    await until(lambda: server.sessions == sessions)
    await asyncio.sleep(0)
    await feed.run(router)
    await server.close(20)


@pytest.fixture
async def backtest() -> AsyncIterator[Callable[[Path], Awaitable[str]]]:
    """The URL of backtests over a folder."""
    async with AsyncExitStack() as ends:

        async def serve(folder: Path, candles: tuple[str, ...] = ()) -> str:
            running = backtests(folder, host.Options(candles=candles))
            server, _ = await ends.enter_async_context(running)
            return f"ws://127.0.0.1:{server.port}/ws"

        yield serve
