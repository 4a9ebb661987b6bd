"""The client in runs of our own engine."""

import asyncio
import random
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fastrouter import Quote
from fastrouter.client import connect
from fastrouter.errors import ConnectionFailed

from ..backtests import backtests
from ..net.wire import until

ROWS = 200


@asynccontextmanager
async def running(folder: Path):
    """An engine over quotes, three an instant; yields the engine, and where it is."""
    lines = (f"{1_735_689_600 + number // 3},S:A,{number + 1},1000" for number in range(ROWS))
    (folder / "quotes.csv").write_text("time,symbol,bid,ask\n" + "\n".join(lines) + "\n")
    async with backtests(folder) as (server, engine):
        yield engine, f"ws://127.0.0.1:{server.port}/ws?run=main&clients=1"


async def lose(connection) -> None:
    """The network goes away, and the client knows."""
    wire = connection._link._wire
    if wire is not None:
        wire._transport.disconnect(graceful=False)
        while connection._link._wire is wire:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0)


async def test_a_loop_is_all_that_a_run_needs(tmp_path):
    """It acknowledges, and ends; where it is is the environment's to say."""
    async with running(tmp_path) as (engine, url), connect(url, "*:quote") as connection:
        events = [event async for event in connection]
        assert [event.bid for event in events if isinstance(event, Quote)] == list(
            range(1, ROWS + 1)
        )
        assert events[-1].payload["event"] == "BACKTEST_COMPLETE"
        assert not engine.runs


@pytest.mark.parametrize("window", [1, 3, 64])
@pytest.mark.parametrize("seed", range(3))
async def test_lost_connections_cost_nothing(tmp_path, window, seed, surroundings):
    """At any moment, before or after an acknowledgement: every event comes once, in order."""
    chance = random.Random(seed)
    async with running(tmp_path) as (_, url):
        target = f"{url}&window={window}"
        async with connect(target, "*:quote", surroundings=surroundings) as connection:
            seen = []
            async for event in connection:
                if isinstance(event, Quote):
                    seen.append(event.bid)
                    if chance.random() < 0.1:
                        await lose(connection)
    assert seen == list(range(1, ROWS + 1))
    assert connection.stats.sessions > 1


async def test_a_session_in_which_time_went_on_resets_the_backoff(tmp_path, surroundings, naps):
    """However short it was; one that only repeats what has come already does not."""
    async with (
        running(tmp_path) as (_, url),
        connect(url, "*:quote", surroundings=surroundings) as connection,
    ):
        async for event in connection:
            if event.id % 10 == 1:
                await lose(connection)
            if event.id == 31:  # and again, when it has come back
                await until(lambda: connection._link._wire)
                await lose(connection)
    assert naps.seconds[:3] == [2.0, 2.0, 2.0]
    assert naps.seconds[3:5] == [2.0, 4.0]
    assert naps.seconds[5:] == [2.0] * (ROWS // 10 - 4)


async def test_a_run_that_is_gone_is_not_begun_anew(tmp_path, surroundings):
    async def follow(engine, connection):
        async for event in connection:
            if event.id == 10:
                engine._forget(engine.runs["main"])
                await lose(connection)

    async with running(tmp_path) as (engine, url):
        async with connect(url, "*:quote", surroundings=surroundings) as connection:
            with pytest.raises(ConnectionFailed, match="there is no run 'main' any more"):
                await follow(engine, connection)
        assert not engine.runs
