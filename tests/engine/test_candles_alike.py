"""A run's candles are those that live builds of the same quotes; bars of the data go before."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.engine.catalog import open_dataset
from fastrouter.engine.run import Run
from fastrouter.engine.track import Span
from fastrouter.feeds.replay import ReplayFeed

from .peer import DIALECT, Client

pytest.importorskip("pyarrow")

TIMEFRAMES = ("1s", "1m", "5m")
CANDLES = [("*", f"candle@{name}") for name in TIMEFRAMES]
SECOND = 10**9


def written(path: Path, columns: str, seed: int) -> Path:
    """Quotes of three symbols in which several share a time and some minutes have none."""
    rng = random.Random(seed)
    time, lines = 1_735_689_600_000, [columns]
    for _ in range(3000):
        time += rng.choice((0, 0, 130, 900, 2500, 61_000))
        bid = rng.randrange(1000, 2000) / 8
        values = {
            "time": time,
            "symbol": f"S:{rng.choice('ABC')}",
            "bid": bid,
            "ask": bid + rng.choice((0.125, 0.25)),
            "last": rng.choice(("", bid)),
            "bid_size": rng.randrange(5),
            "ask_size": rng.randrange(5),
            "volume": rng.choice(("", 0, 1, 2.5, 100)),
        }
        lines.append(",".join(str(values[name]) for name in columns.split(",")))
    path.write_text("\n".join(lines) + "\n")
    return path


def closed(frames: list[bytes]) -> list[dict[str, Any]]:
    """The bars that are closed, by symbol, timeframe and time."""
    bars = [orjson.loads(frame)["bar"] for frame in frames]
    for bar in bars:
        del bar["seq"]  # it counts those that form, too, and live skips some
    return sorted((bar for bar in bars if bar["closed"]), key=order)


def order(bar: dict[str, Any]) -> tuple[str, str, str]:
    return bar["symbol"], bar["timeframe"], bar["timestamp"]


async def live(path: Path, price: str) -> list[dict[str, Any]]:
    router = Router(clock=Clock(1_735_689_600 * SECOND), candles=TIMEFRAMES, price=price)
    sink = MemorySink()
    router.attach(sink, DIALECT).subscribe(CANDLES)
    frames: list[bytes] = []

    class Publisher:
        next_close = None
        publish_batch = router.publish_batch
        close_candles = router.close_candles

        async def drained(self) -> None:
            while router.flush():
                pass
            frames.extend(sink.messages())
            await asyncio.sleep(0)

    feed = ReplayFeed(path, speed=None)
    publisher = Publisher()
    await feed.run(publisher)  # type: ignore[arg-type]
    router.close_candles(router.last_event_time())  # which live does by its clock
    await publisher.drained()
    return closed(frames)


def simulated(path: Path, price: str = "last") -> list[dict[str, Any]]:
    run = Run("run_1", Clock(1), candles=TIMEFRAMES, price=price)
    client = Client(run, CANDLES)
    for stretch in open_dataset(path).stretches(candles=TIMEFRAMES):
        run.tape.feed(stretch)
    run.tape.end()
    run.turn()
    return closed(client.play())


@pytest.mark.parametrize("price", ["last", "mid"])
@pytest.mark.parametrize(
    "columns",
    [
        "time,symbol,bid,ask",
        "time,symbol,bid,ask,last,bid_size,ask_size",
        "time,symbol,bid,ask,last,volume",
        "volume,ask,bid,symbol,time",
    ],
)
async def test_a_run_builds_the_candles_of_live(tmp_path: Path, columns: str, price: str):
    path = written(tmp_path / "quotes.csv", columns, 1)
    expected = await live(path, price)
    assert len(expected) > 1000
    assert simulated(path, price) == expected
    volume = sum(float(bar["volume"]) for bar in expected if bar["timeframe"] == "1s")
    assert (volume == int(volume)) is ("volume" not in columns)


async def test_volumes_are_merged_with_their_quotes(tmp_path: Path):
    """Of two files, of which one has volumes, candles are those of each alone."""
    parts = {"a": "time,symbol,bid,ask,volume", "b": "time,symbol,bid,ask"}
    folder = tmp_path / "both"
    folder.mkdir()
    alone = []
    for seed, (name, columns) in enumerate(parts.items()):
        path = written(folder / f"{name}.csv", columns, seed)
        path.write_text(path.read_text().replace(",S:", f",S:{name}"))
        alone += await live(path, "last")
    both = simulated(folder)
    # the file that ends later closes the last candles of the other
    assert [bar for bar in both if bar in alone] == sorted(alone, key=order)
    assert len(both) - len(alone) <= 3 * len(TIMEFRAMES)


BARS = """time,symbol,timeframe,open,high,low,close,volume
2025-01-01T00:01:00Z,S:A,1m,7,7,7,7,7
2025-01-01T00:02:00Z,S:A,1m,7,7,7,7,7
2025-01-01T00:00:00Z,S:C,1h,7,7,7,7,7
"""
TICKS = """time,symbol,bid,ask
2025-01-01T00:00:10Z,S:A,1,1
2025-01-01T00:00:10Z,S:B,1,1
2025-01-01T00:01:10Z,S:A,2,2
2025-01-01T00:01:10Z,S:B,2,2
2025-01-01T00:02:10Z,S:A,3,3
2025-01-01T00:02:10Z,S:B,3,3
2025-01-01T00:09:10Z,S:B,3,3
"""


def test_bars_of_the_data_go_before_those_of_its_quotes(tmp_path: Path):
    (tmp_path / "bars.csv").write_text(BARS)
    (tmp_path / "quotes.csv").write_text(TICKS)
    found = simulated(tmp_path)
    minutes = [
        (bar["symbol"], bar["timestamp"][14:16], float(bar["close"]))
        for bar in found
        if bar["timeframe"] == "1m"
    ]
    # what the data say of a symbol and timeframe is all there is, from the run's begin on
    assert minutes == [
        *(("S:A", "01", 7), ("S:A", "02", 7)),
        *(("S:B", "00", 1), ("S:B", "01", 2), ("S:B", "02", 3), ("S:B", "09", 3)),
    ]
    # another timeframe of the symbol is built
    assert [bar["symbol"] for bar in found if bar["timeframe"] == "5m"] == ["S:A", "S:B", "S:B"]


def test_bars_outside_the_span_do_not_count(tmp_path: Path):
    (tmp_path / "bars.csv").write_text(BARS)
    (tmp_path / "quotes.csv").write_text(TICKS)
    start = 1_735_689_600 * SECOND
    span = Span(start=start, end=start + 120 * SECOND)
    (first, *_) = open_dataset(tmp_path).stretches(span, candles=("1m",))
    assert first.bars == frozenset()
    (first, *_) = open_dataset(tmp_path).stretches(candles=("1m", "1h"))
    assert first.bars == {(b"S:A", b"1m"), (b"S:C", b"1h")}
    (first, *_) = open_dataset(tmp_path / "quotes.csv").stretches(candles=("1m",))
    assert len(first.times)
