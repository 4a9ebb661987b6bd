"""A live session that was recorded, replayed, is its recording."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fastrouter import Candle, Quote
from fastrouter.engine.catalog import Catalog
from fastrouter.feeds import open_feed
from fastrouter.recording import Recording

from ..feeds.peer import Recorder
from .conftest import START, TIMEFRAMES, Seen, live, recorded, seen

pytest.importorskip("pyarrow")

QUOTES = 16_000


def by_kind(rows: Seen) -> tuple[Seen, Seen]:
    """Quotes and candles, each in their order."""
    return [row for row in rows if row[0] == "quote"], [row for row in rows if row[0] != "quote"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
async def test_a_recording_replayed_is_the_session(tmp_path: Path, backtest, suffix: str):
    data = tmp_path / "data"
    async with live(sessions=2, quotes=QUOTES) as url:
        watching = asyncio.create_task(seen(url))
        recording = asyncio.create_task(recorded(url, data / "first", suffix=suffix))
    watched, said = await watching, (await recording).told()
    quotes, candles = by_kind(watched)
    assert (said["quotes"], said["candles"], said["symbols"]) == (QUOTES, len(candles), 5)
    assert len(candles) > 75
    assert (said["gaps"], said["missed"], said["late"]) == (0, 0, 0)
    assert Catalog(data).open("first").describe().kinds == ("bars", "quotes")

    url = await backtest(data, candles=TIMEFRAMES)
    replayed = await seen(f"{url}?dataset=first&window=64")
    assert by_kind(replayed) == (quotes, candles)

    again = await recorded(f"{url}?dataset=first&window=64", data / "second", suffix=suffix)
    assert again.told()["rows"] == said["rows"]
    for file in (data / "first").iterdir():
        assert (data / "second" / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
async def test_the_files_of_a_recording_replay_live(tmp_path: Path, suffix: str):
    out = tmp_path / "x"
    recording = Recording(out, suffix)
    quotes = [Quote("S:A", bid=n, ask=n + 1, time=START + n) for n in range(100)]
    candles = [
        Candle("S:A", timeframe=name, open=1, high=2, low=1, close=n + 1, time=START)
        for n, name in enumerate(("1s", "1m"))
    ]
    for event in (*quotes, *candles):
        recording.take(event)
    recording.finish()
    for name, expected in (("quotes", quotes), ("candles", candles)):
        router = Recorder()
        await open_feed(f"replay:{out / name}{suffix}", speed=None).run(router)
        found = router.quotes if name == "quotes" else router.candles
        assert found["time"].tolist() == [event.time for event in expected]
        assert len(found) == len(expected)
