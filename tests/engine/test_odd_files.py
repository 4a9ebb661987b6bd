"""Files as people have them: what a run makes of each, and what it says of those it cannot read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastrouter.engine.catalog import open_dataset
from fastrouter.engine.track import Reading
from fastrouter.errors import FeedError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

S = 10**9
NEW_YEAR = 1_577_836_800 * S  # 2020-01-01
HEAD = "time,symbol,bid,ask\n"
GOOD = HEAD + "1,S:A,1,2\n2,S:A,1,2\n"


def zipped(data: bytes) -> bytes:
    """The same bytes whenever: they name tests, of which every worker has the same."""
    return gzip.compress(data, mtime=0)


LONG = zipped((HEAD + "".join(f"{n},S:A,{n * 7919 % 1009},2000\n" for n in range(60_000))).encode())

Content = str | bytes | dict[str, Any]
Bad = list[tuple[str, int, str]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[list[tuple[int, str]], Bad]]:
    """The rows of a data set, as time (ns) and symbol, and the bad ones, as file, line and why."""

    def read(files: dict[str, Content], **reading: Any) -> tuple[list[tuple[int, str]], Bad]:
        folder = tmp_path / "set"
        folder.mkdir()
        for name, content in files.items():
            if isinstance(content, dict):
                pq.write_table(pa.table(content), folder / name)
            else:
                data = content if isinstance(content, bytes) else content.encode()
                (folder / name).write_bytes(data)
        bad: Bad = []
        stream = open_dataset(folder, Reading(**reading)).instants(
            on_bad=lambda path, number, why: bad.append((path.name, number, why))
        )
        rows = [
            (instant.time, row["symbol"].decode())
            for instant in stream
            for piece in instant.pieces
            for row in piece
        ]
        return rows, bad

    return read


ROWS = [(S, "S:A"), (2 * S, "S:A")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", GOOD),
        ("a.csv", GOOD.rstrip()),
        ("a.csv", "\ufeff" + GOOD),
        ("a.csv", "\ufeff" + GOOD.replace("\n", "\r\n")),
        ("a.csv", GOOD.replace("2\n", "2\r\n")),
        ("a.csv", "\n\n" + GOOD),
        ("a.csv", GOOD.replace("S:A,", '"S:A",')),
        ("a.csv", zipped(GOOD.encode())),
        ("a.csv.gz", zipped(GOOD.encode())),
        ("a.parquet", {"time": [1, 2], "symbol": ["S:A"] * 2, "bid": [1, 1], "ask": [2.0, 2]}),
        ("a.csv", "time,symbol,bid,ask,bid\n1,S:A,1,2,3\n2,S:A,1,2,x\n"),
    ],
)
def test_it_is_read_as_it_is_meant(read, name: str, content: Content):
    assert read({name: content}, time_format="s") == (ROWS, [])


NO_ROWS = {name: pa.array([], pa.float64()) for name in ("bid", "ask")}
NO_ROWS |= {"time": pa.array([], pa.int64()), "symbol": pa.array([], pa.string())}


@pytest.mark.parametrize("content", [HEAD, HEAD.rstrip(), "\n\n" + HEAD, NO_ROWS])
def test_a_file_without_rows_adds_none(read, content: Content):
    name = "a.parquet" if content is NO_ROWS else "a.csv"
    assert read({name: content, "b.csv": GOOD}, time_format="s") == (ROWS, [])


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.csv", "\n\n", "the file is empty"),
        ("a.csv.gz", zipped(b""), "the file is empty"),
        ("a.csv.gz", LONG[:8], "line 1: cannot be read: Compressed file ended"),
        ("a.csv.gz", LONG[:-20], "line 5"),
        ("a.csv.gz", LONG[:-8] + bytes(8), "cannot be read: CRC check failed"),
        ("a.csv", GOOD + "3,S:A,1," + "2" * (3 << 20), "line 4: it has more than 1,048,576 bytes"),
        ("a.csv", GOOD.encode("utf-16"), "neither bid, ask nor open"),
        ("a.csv", bytes(range(256)) * 99, "neither bid, ask nor open"),
        ("a.csv", GOOD.replace("\n", "\r"), "neither bid, ask nor open"),
        ("a.csv", HEAD + "2,S:A,1,2\nx\n1,S:A,1,2\n", "line 4 is of an earlier time than the one"),
        ("a.parquet", b"PAR1 and no more", "cannot be read: Parquet magic bytes not found"),
        ("a.parquet", {"x": [1], "y": [1]}, "neither bid, ask nor open, high, low, close found"),
        (
            "a.parquet",
            {"time": [2, 1], "symbol": ["S:A"] * 2, "bid": [1, 1], "ask": [1, 1]},
            "row 2 is of an earlier time",
        ),
        (
            "a.parquet",
            {"time": [1], "symbol": ["S:A"], "bid": [[1.0]], "ask": [1]},
            "column for bid has type list",
        ),
        (
            "a.parquet",
            {"time": [b"1"], "symbol": ["S:A"], "bid": [1.0], "ask": [1]},
            "column for time has type binary",
        ),
        *(
            (
                "a.parquet",
                {"time": [1], "symbol": ["S:A"], "bid": [1.0], "ask": [1], field: [cell]},
                f"column for {field} has type {kind}, not {what}",
            )
            for field, cell, kind, what in (
                ("symbol", ["S:A"], "list<element: string>", "texts"),
                ("symbol", b"\xff", "binary", "texts"),
                ("bid_size", b"x", "binary", "numbers"),
            )
        ),
    ],
)
def test_what_cannot_be_read_is_named(read, tmp_path: Path, name: str, content: Content, why: str):
    with pytest.raises(FeedError) as caught:
        read({name: content}, time_format="s")
    assert str(caught.value).startswith(f"{tmp_path / 'set' / name}: ")
    assert why in str(caught.value)


def test_columns_of_one_name(read, tmp_path: Path):
    names = ["time", "symbol", "bid", "ask", "bid"]
    table = pa.table([[1], ["S:A"], [1.0], [2.0], [3.0]], names=names)
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(FeedError, match=r"x\.parquet: 2 columns are named bid"):
        list(open_dataset(tmp_path / "x.parquet").instants())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1,S:A,nan,2,1", "bid: nan is not finite"),
        ("1,S:A,1,inf,1", "ask: inf is not finite"),
        ("1,S:A,1,2,-1", "bid_size is negative"),
        ("1,S:A,1,,1", "ask is empty"),
        ("1,S:A,1,2", "4 columns, expected 5"),
        ("1,S:A,1,2,3,4", "6 columns, expected 5"),
        ("\0\0", "1 columns, expected 5"),
        ("1,S A,1,2,1", "symbol 'S A' holds a character that no symbol may have"),
        ("1,S:*,1,2,1", "symbol 'S:*' holds a character that no symbol may have"),
        (f"1,{'x' * 33},1,2,1", f"symbol '{'x' * 33}' has more than 32 bytes"),
        ("1,S:A,1e999,2,1", "bid: '1e999' is not a number"),
        ("noon,S:A,1,2,1", "time: 'noon' is not a time"),
        (",S:A,1,2,1", "time is empty"),
        ('1,"S:A,1,2,1', "2 columns, expected 5"),
        (f"1,S:A,1,2,{'9' * 100_000}x", "bid_size: '" + "9" * 60 + "' is not a number"),
    ],
)
def test_a_bad_row_is_left_out_and_named(read, line: str, why: str):
    text = f"time,symbol,bid,ask,bid_size\n1,S:A,1,2,1\n{line}\n2,S:A,1,2,1\n"
    rows, bad = read({"a.csv": text}, time_format="s")
    assert rows == ROWS
    ((name, number, reason),) = bad
    assert (name, number, reason) == ("a.csv", 3, why)


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("1577836800", NEW_YEAR),
        ("1577836800123", NEW_YEAR + 123 * 10**6),
        ("1577836800123456", NEW_YEAR + 123_456_000),
        ("1577836800123456789", NEW_YEAR + 123_456_789),
        ("1577836800.123456789", NEW_YEAR + 123_456_789),
        ("2020-01-01T01:00:00+01:00", NEW_YEAR),
        ("2019-12-31 18:30:00-05:30", NEW_YEAR),
        ("2020-01-01 00:00:00.000000001Z", NEW_YEAR + 1),
        ("2020-01-01", NEW_YEAR),
        ("20200101 000000001", NEW_YEAR + 10**6),
    ],
)
def test_times_in_any_unit_and_zone(read, cell: str, time: int):
    assert read({"a.csv": f"{HEAD}{cell},S:A,1,2\n"}) == ([(time, "S:A")], [])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_times_of_parquet_in_any_unit_and_zone(read, unit: str, zone: str | None):
    seconds = np.array([NEW_YEAR // S], "datetime64[s]")
    stamps = pa.array(seconds).cast(pa.timestamp(unit, zone))
    table = {"time": stamps, "symbol": ["S:A"], "bid": [1.0], "ask": [2.0]}
    assert read({"a.parquet": table}) == ([(NEW_YEAR, "S:A")], [])


def test_equal_times_go_by_file_and_row(read):
    files = {
        "b.csv": HEAD + "1,S:b1,1,2\n2,S:b2,1,2\n",
        "a.parquet": {
            "time": [1, 1, 2],
            "symbol": ["S:a1", "S:a2", "S:a3"],
            "bid": [1, 1, 1],
            "ask": [2, 2, 2],
        },
        "c.csv.gz": zipped((HEAD + "1,S:c1,1,2\n1,S:c1,1,2\n").encode()),
    }
    rows, bad = read(files, time_format="s")
    assert [symbol for _, symbol in rows] == [
        *("S:a1", "S:a2", "S:b1", "S:c1", "S:c1", "S:a3", "S:b2")
    ]
    assert bad == []


def test_kinds_may_be_mixed(read):
    bars = "time,symbol,timeframe,open,high,low,close\n0,S:B,1s,1,1,1,1\n1,S:B,1s,1,2,3,1\n"
    rows, bad = read({"a.csv": bars, "b.csv": GOOD}, time_format="s")
    assert rows == [(S, "S:B"), (S, "S:A"), (2 * S, "S:A")]
    assert bad == [("a.csv", 3, "low is above open or close")]


def test_hundreds_of_files_are_one_stream(read):
    rng = np.random.default_rng(1)
    files, expected = {}, []
    for number in range(300):
        times = np.cumsum(rng.integers(0, 5, rng.integers(0, 60)))
        name = f"{number:03}.csv"
        files[name] = HEAD + "".join(f"{time},S:{number},1,2\n" for time in times)
        expected += [(int(time) * S, f"S:{number}", number) for time in times]
    rows, bad = read(files, time_format="s")
    expected.sort(key=lambda row: (row[0], row[2]))
    assert rows == [row[:2] for row in expected]
    assert bad == []
