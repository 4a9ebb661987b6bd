"""What stands in a recording's files, and what is left of one that was killed."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from fastrouter import Candle, Event, Quote
from fastrouter.engine.catalog import open_dataset
from fastrouter.errors import FastrouterError
from fastrouter.recording import Recording, salvage, sheet
from fastrouter.recording.part import part_of

pq = pytest.importorskip("pyarrow.parquet")

SECOND = 10**9
START = 1_735_689_600 * SECOND
SUFFIXES = [".parquet", ".csv"]


def quote(number: int, time: int | None = None, symbol: str = "S:A", **more: bool) -> Quote:
    time = START + number * SECOND if time is None else time
    return Quote(symbol, bid=number + 0.1, ask=number + 0.3, bid_size=2, time=time, **more)


def candle(number: int, timeframe: str = "1m", **more: bool) -> Candle:
    time = START + number * 60 * SECOND
    return Candle(
        "S:A", timeframe=timeframe, open=1, high=2.5, low=0.1, close=2, volume=7, time=time, **more
    )


def rows(path: Path) -> list[tuple[int, str, float]]:
    """Known when, of whom, the first price; in the order of a run."""
    return [
        (
            instant.time,
            row["symbol"].decode(),
            float(row["bid" if "bid" in row.dtype.names else "open"]),
        )
        for instant in open_dataset(path).instants()
        for piece in instant.pieces
        for row in piece
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_symbol_that_a_row_may_have_is_itself_again(tmp_path: Path, suffix: str):
    symbols = ["A", '"A"', 'A"B', '"', '""', "A;B", "'A'", "é", "\\n"]
    recording = Recording(tmp_path / "x", suffix)
    for number, symbol in enumerate(symbols):
        assert recording.take(quote(number, symbol=symbol))
    recording.finish()
    assert [symbol for _, symbol, _ in rows(tmp_path / "x")] == symbols


@pytest.mark.parametrize("symbol", ["x" * 33, "A\u200bB"])
def test_a_symbol_that_no_row_may_have_is_not_recorded(tmp_path: Path, symbol: str):
    """A replay would leave it out."""
    recording = Recording(tmp_path / "x")
    assert not recording.take(quote(1, symbol=symbol))
    assert recording.take(quote(2))
    recording.finish()
    assert (recording.totals.other, recording.totals.quotes) == (1, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_is_one_data_set(tmp_path: Path, suffix: str):
    out = tmp_path / "a" / "b"
    recording = Recording(out, suffix)
    assert not out.exists()
    for event in (quote(1), candle(0), quote(59), candle(0, "5m"), quote(61)):
        assert recording.take(event)
    assert recording.finish() == [out / f"quotes{suffix}", out / f"candles{suffix}"]
    assert sorted(os.listdir(out)) == [f"candles{suffix}", "dataset.toml", f"quotes{suffix}"]
    assert [((time - START) // SECOND, price) for time, _, price in rows(out)] == [
        *((1, 1.1), (59, 59.1), (60, 1.0), (61, 61.1), (300, 1.0)),
    ]
    totals = recording.totals.told()
    assert (totals["rows"], totals["quotes"], totals["candles"], totals["symbols"]) == (5, 3, 2, 1)
    assert (totals["first"], totals["last"]) == (START + SECOND, START + 300 * SECOND)


def test_times_are_ns_and_numbers_are_exact(tmp_path: Path):
    rng = random.Random(1)
    for suffix in SUFFIXES:
        out = tmp_path / f"x{suffix}"
        recording = Recording(out)
        prices = [rng.lognormvariate(0, 5) for _ in range(1000)]
        for number, price in enumerate(prices):
            recording.take(Quote("S:ü", bid=price, ask=price, time=START + number))
        recording.finish()
        assert rows(out) == [(START + n, "S:ü", price) for n, price in enumerate(prices)]


def test_what_is_not_recorded(tmp_path: Path):
    recording = Recording(tmp_path / "x")
    for event in (
        quote(1, snapshot=True),
        candle(1, snapshot=True),
        candle(1, closed=False),
        Event("order", {}),
    ):
        assert not recording.take(event)
    totals = recording.totals
    assert (totals.snapshots, totals.forming, totals.other, totals.rows) == (2, 1, 1, 0)
    assert recording.finish() == []
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_of_one_kind(tmp_path: Path, suffix: str):
    recording = Recording(tmp_path / f"x{suffix}")
    recording.take(candle(1))
    with pytest.raises(FastrouterError, match="is a file of candles, and quotes come too; allowed"):
        recording.take(quote(1))
    recording.close()


def test_nothing_is_overwritten(tmp_path: Path):
    for name in ("x.csv", "x.csv.part", "folder"):
        (tmp_path / name).mkdir() if name == "folder" else (tmp_path / name).write_text("mine")
        with pytest.raises(FastrouterError, match=f"{name} is there already"):
            Recording(tmp_path / name.removesuffix(".part"))
        if name != "folder":
            (tmp_path / name).unlink()


def test_rows_stand_in_order_though_some_come_a_little_late(tmp_path: Path):
    recording = Recording(tmp_path / "x.csv")
    rng = random.Random(2)
    sent = [START + n * SECOND // 10 - rng.randrange(SECOND // 2) for n in range(500)]
    for number, time in enumerate(sent):
        assert recording.take(quote(number, time))
        if not number % 37:
            recording.flush()
    assert not recording.take(quote(0, START))
    assert recording.totals.late == 1
    recording.finish()
    assert [time for time, _, _ in rows(tmp_path / "x.csv")] == sorted(sent)


def test_rows_of_one_time_stay_in_their_order(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sheet, "MOST", 64)
    recording = Recording(tmp_path / "x.csv")
    for number in range(1000):
        assert recording.take(quote(number, START))
    assert len(recording._sheets["quotes"]._waiting) < 64
    recording.finish()
    assert [price for _, _, price in rows(tmp_path / "x.csv")] == [n + 0.1 for n in range(1000)]


def test_the_same_rows_are_the_same_bytes_however_they_were_written(tmp_path: Path):
    for number, every in enumerate((1, 7, 10_000)):
        recording = Recording(tmp_path / f"{number}.parquet")
        for n in range(3000):
            recording.take(quote(n))
            if not n % every:
                recording.flush()
        recording.finish()
    first, *others = [(tmp_path / f"{number}.parquet").read_bytes() for number in range(3)]
    assert others == [first, first]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_flushed_survives_a_kill(tmp_path: Path, suffix: str):
    out = tmp_path / "x"
    recording = Recording(out, suffix)
    for number in range(500):
        recording.take(quote(number))
        if not number % 50:
            recording.flush()
    recording.close()
    part = part_of(out / f"quotes{suffix}")
    whole = part.read_bytes()
    assert len(whole) > 10_000
    for size in (len(whole), len(whole) - 1, len(whole) // 2, len(whole) // 3):
        part.write_bytes(whole[:size])  # a disk that did not take all of it
        assert salvage(out) == [out / f"quotes{suffix}"]
        assert not part.exists()
        found = rows(out)
        assert found == [(START + n * SECOND, "S:A", n + 0.1) for n in range(len(found))]
        assert len(found) >= {len(whole): 449, len(whole) - 1: 400}.get(size, 100)
    with pytest.raises(FastrouterError, match="there is nothing left of a recording"):
        salvage(out)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_was_killed(tmp_path: Path, suffix: str):
    out = tmp_path / f"x{suffix}"
    recording = Recording(out)
    recording.take(quote(1))
    recording.take(quote(9))
    recording.flush()
    recording.close()
    with pytest.raises(FastrouterError, match="is there already"):
        Recording(out)
    assert salvage(out) == [out]
    assert len(rows(out)) == 1


def test_a_part_of_which_nothing_is_whole(tmp_path: Path):
    out = tmp_path / "x.parquet"
    part_of(out).write_bytes(b"\xff\xff")
    with pytest.raises(FastrouterError) as caught:
        salvage(out)
    assert (caught.value.code, str(caught.value)[: len(str(out))]) == ("RECORDING_FAILED", str(out))


def test_a_disk_that_takes_no_more(tmp_path: Path, monkeypatch):
    recording = Recording(tmp_path / "x.csv")
    recording.take(quote(1))
    recording.take(quote(9))

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recording._sheets["quotes"]._part._file, "flush", full, raising=False)
    with pytest.raises(FastrouterError, match=r"x\.csv: No space left on device") as caught:
        recording.flush()
    assert caught.value.code == "RECORDING_FAILED"
    monkeypatch.undo()
    recording.close()


def test_row_groups_are_bounded(tmp_path: Path, monkeypatch):
    from fastrouter.recording import part

    monkeypatch.setattr(part, "GROUP", 100)
    recording = Recording(tmp_path / "x.parquet")
    for number in range(1050):
        recording.take(quote(number))
        if not number % 33:
            recording.flush()
    recording.finish()
    metadata = pq.ParquetFile(tmp_path / "x.parquet").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [
        *([100] * 10),
        50,
    ]
