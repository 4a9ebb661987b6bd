"""The replay feed against small files, and its parts against the standard library."""

import asyncio
import datetime as dt
import gzip
import io
import logging
import random
import sys

import numpy as np
import pytest

from fastrouter.errors import FeedError
from fastrouter.feeds import open_feed, progress
from fastrouter.feeds.columns import map_columns
from fastrouter.feeds.csv_source import BLOCK_BYTES, LONGEST_LINE, CsvSource
from fastrouter.feeds.replay import REPORTS, ReplayFeed
from fastrouter.feeds.source import open_source
from fastrouter.feeds.times import TIME_FORMATS, TimeParser

from .peer import Recorder, S, Time

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MS = 10**6
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NEW_YEAR = 1_577_836_800 * S  # 2020-01-01

TICKS = """\
20200101 170000065,1.121200,1.121720,0
20200101 170010447,1.121200,1.121920,0
20200101 170010498,1.121170,1.121610,0
"""
TICK_TIMES = [NEW_YEAR + 61_200_065 * MS, NEW_YEAR + 61_210_447 * MS, NEW_YEAR + 61_210_498 * MS]


@pytest.fixture
def write(tmp_path):
    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


async def replay(path, **options):
    options = {"symbol": "C:EURUSD", "speed": None} | options
    bad = []
    feed = ReplayFeed(path, on_bad_row=lambda *row: bad.append(row), **options)
    router = Recorder()
    await feed.run(router)
    return feed, router, bad


# Reading


async def test_ticks_without_a_header(write):
    feed, router, bad = await replay(write(TICKS))
    quotes = router.quotes
    assert quotes["time"].tolist() == TICK_TIMES
    assert quotes["symbol"].tolist() == [b"C:EURUSD"] * 3
    assert quotes[["bid", "ask", "last", "bid_size", "ask_size"]].tolist()[0] == (
        *(1.1212, 1.12172, 1.12146),
        *(0.0, 0.0),
    )
    assert (feed.published, feed.bad_rows, bad) == (3, 0, [])


BARS = """\
timestamp,open,high,low,close,volume
2021-12-31 23:01:00.000000,46319.0,46385.0,46319.0,46377.0,2300413.7295
2021-12-31 23:02:00.000000,46377.0,46411.0,46377.0,46411.0,1829623.1938
"""


async def test_bars_zipped_with_a_header(write):
    path = write(gzip.compress(BARS.encode()), "bars.csv.gz")
    feed, router, _ = await replay(path, symbol="C:BTCUSD")
    assert router.candles.tolist()[0] == (
        *(b"C:BTCUSD", b"1m", 1_640_991_660 * S, 46319.0, 46385.0, 46319.0, 46377.0, 2300413.7295),
        True,
    )
    assert router.candles["closed"].all()
    assert feed.published == 2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
async def test_csv_is_csv_however_it_is_written(write, end, delimiter, bom, last):
    lines = ["Time,Symbol,Bid,Ask,Bid Size", '2020-01-01,S:A,1,"2",3', "2020-01-01,S:B,4,5,6"]
    text = bom + end.join(lines).replace(",", delimiter) + end * last
    _, router, bad = await replay(write(text), symbol=None)
    assert router.quotes.tolist() == [
        (b"S:A", NEW_YEAR, 1.0, 2.0, 1.5, 3.0, 0.0),
        (b"S:B", NEW_YEAR, 4.0, 5.0, 4.5, 6.0, 0.0),
    ]
    assert bad == []


@pytest.mark.parametrize("zipped", [False, True])
async def test_many_blocks_are_one_stream(write, zipped):
    rng = np.random.default_rng(3)
    n = 20_000
    times = NEW_YEAR + np.cumsum(rng.integers(0, S, n)) // MS * MS
    bid, spread = rng.lognormal(3, 1, n), rng.random(n)
    text = io.StringIO()
    for row in zip((times // MS).tolist(), bid.tolist(), (bid + spread).tolist(), strict=True):
        print(*row, sep=",", file=text)
    content = text.getvalue().encode()
    assert len(content) > 4 * BLOCK_BYTES
    _, router, bad = await replay(write(gzip.compress(content) if zipped else content))
    quotes = router.quotes
    assert bad == []
    assert (quotes["time"] == times).all()
    assert (quotes["bid"] == bid).all()
    assert (quotes["ask"] == bid + spread).all()


async def test_parquet_of_quotes(tmp_path):
    stamps = [dt.datetime(2020, 1, 1, 0, 0, i) for i in range(3)]
    table = pa.table(
        {
            "ts": pa.array(stamps, pa.timestamp("us", "Europe/Berlin")),
            "symbol": pa.array(["S:A", "S:B", "S:A"]).dictionary_encode(),
            "bid": pa.array([1.0, 2.0, None]),
            "ask": pa.array([2, 3, 4]),
            "last": pa.array(["1.25", "", "1"]),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    _, router, bad = await replay(tmp_path / "x.parquet", symbol=None)
    assert router.quotes.tolist() == [
        (b"S:A", NEW_YEAR, 1.0, 2.0, 1.25, 0.0, 0.0),
        (b"S:B", NEW_YEAR + S, 2.0, 3.0, 2.5, 0.0, 0.0),
    ]
    assert bad == [(3, "bid is empty")]


async def test_parquet_of_bars_in_many_batches(tmp_path):
    n = 10_000
    table = pa.table(
        {"time": np.arange(n) * 60_000}
        | dict.fromkeys(("open", "high", "low", "close"), np.arange(n) + 0.5)
        | {"interval": ["1m"] * n, "volume": pa.array(np.arange(n)).cast(pa.decimal128(30, 2))}
    )
    pq.write_table(table, tmp_path / "bars", row_group_size=3000)
    _, router, _ = await replay(tmp_path / "bars", time_format="ms")
    assert (router.candles["time"] == np.arange(n) * 60 * S).all()
    assert (router.candles["volume"] == np.arange(n)).all()
    assert (router.candles["timeframe"] == b"1m").all()


@pytest.mark.parametrize("group", [1000, 30_000, 200_000])
def test_parquet_holds_no_more_of_a_long_file_than_of_a_short_one(tmp_path, group):
    n = 1_000_000
    table = pa.table({"time": np.arange(n), "bid": np.random.default_rng(1).random(n)})
    pq.write_table(table, tmp_path / "x", row_group_size=group)
    source = open_source(tmp_path / "x")
    del table
    before, held, rows = pa.total_allocated_bytes(), [], []
    for batch in source.batches([0, 1]):
        rows.append(batch.columns[0].to_numpy())
        held.append(pa.total_allocated_bytes() - before - 8 * sum(map(len, rows)))
    assert (np.concatenate(rows) == np.arange(n)).all()
    assert max(held) < 2 * max(held[: len(held) // 4]) < 16 * n


async def test_columns_by_name_and_by_position(write):
    path = write("when,b,a,bid\n2020-01-01,1,2,9\n")
    _, router, _ = await replay(path, columns={"time": "when", "bid": 1, "ask": "a"})
    assert router.quotes[["bid", "ask"]].tolist() == [(1.0, 2.0)]
    path = write("7,2.5,x,1577836800,1.5\n")
    _, router, _ = await replay(path, columns={"time": 3, "bid": "4", "ask": 1, "ask_size": 0})
    assert router.quotes.tolist() == [(b"C:EURUSD", NEW_YEAR, 1.5, 2.5, 2.0, 0.0, 7.0)]


async def test_a_symbol_that_is_told_wins_over_a_column(write):
    path = write("time,symbol,bid,ask\n2020-01-01,,1,2\n")
    _, router, bad = await replay(path, symbol="S:X")
    assert router.quotes["symbol"].tolist() == [b"S:X"]
    assert bad == []


async def test_last_is_a_mid_that_prints_short(write):
    rows = [(0.1, 0.2), (1.12117, 1.12161), (60000.5, 60001.0), (1e300, 1e300), (-3.0, -2.0)]
    text = "".join(f"2020-01-01,{bid!r},{ask!r}\n" for bid, ask in rows)
    _, router, _ = await replay(write(text))
    assert [repr(v) for v in router.quotes["last"].tolist()] == [
        *("0.15", "1.12139", "60000.75", "1e+300", "-2.5"),
    ]


async def test_a_negative_spread_is_data(write):
    _, router, bad = await replay(write("2020-01-01,2,1\n"))
    assert (len(router.quotes), bad) == (1, [])


# Bad rows


BAD = """\
time,bid,ask,bid_size
2020-01-01 00:00:00,1,2,3
2020-01-01 00:00:01,x1,2,3

2020-01-01 00:00:03,1,nan,3
2020-01-01 00:00:04,1,2
2020-01-01 00:00:05,1,2,3,4
2020-01-01 00:00:99,1,2,3
,1,2,3
2020-01-01 00:00:08,1,,3
2020-01-01 00:00:09,-inf,2,3
2020-01-01 00:00:10, 7 ,2,
2020-01-01 00:00:11,1,2,1_0
"3020-01-01 00:00:12,1,2,3
2020-01-01 00:00:00,8,2,3
"""
FAULTS = [
    (3, "bid: 'x1' is not a number"),
    (5, "ask: nan is not finite"),
    (6, "3 columns, expected 4"),
    (7, "5 columns, expected 4"),
    (8, "time: '2020-01-01 00:00:99' is not a time"),
    (9, "time is empty"),
    (10, "ask is empty"),
    (11, "bid: -inf is not finite"),
    (13, "bid_size: '1_0' is not a number"),
    (14, "1 columns, expected 4"),
]


async def test_bad_rows_are_told_by_their_line_and_left_out(write):
    feed, router, bad = await replay(write(BAD))
    assert bad == FAULTS
    assert feed.bad_rows == len(FAULTS)
    assert router.quotes["bid"].tolist() == [1.0, 7.0, 8.0]
    assert router.quotes["bid_size"].tolist() == [3.0, 0.0, 3.0]


async def test_lines_are_counted_across_blocks(write):
    lines = ["2020-01-01,1.25,1.5"] * 50_000
    expected = []
    for i in random.Random(4).sample(range(50_000), 40):
        lines[i] = ["", "2020-01-01,1", "2020-01-01,1,z", "2020-01-01,1,\udcff"][i % 4]
        if i % 4:
            expected.append(i + 1)
    text = "\n".join(lines).encode(errors="surrogateescape")
    feed, router, bad = await replay(write(text), header=False)
    assert [number for number, _ in bad] == sorted(expected)
    assert feed.published == len(router.quotes) == 49_960


async def test_strict_makes_the_first_bad_row_fatal(write):
    with pytest.raises(FeedError, match=r"data\.csv: line 3: bid: 'x1' is not a number"):
        await replay(write(BAD), strict=True)


async def test_a_bad_row_of_parquet_is_told_by_its_row(tmp_path):
    n = 9000
    bid = np.ones(n)
    bid[8000] = np.inf
    table = pa.table({"time": np.full(n, NEW_YEAR), "bid": bid, "ask": bid * 2})
    pq.write_table(table, tmp_path / "x.parquet")
    _, _, bad = await replay(tmp_path / "x.parquet")
    assert bad == [(8001, "bid: inf is not finite")]
    with pytest.raises(FeedError, match="row 8001: bid"):
        await replay(tmp_path / "x.parquet", strict=True)


async def test_bad_symbols(write):
    names = ["S:A", "", "a b", "S:" + "x" * 31, "S:*", "S:ü"]
    text = "time,symbol,bid,ask\n" + "".join(f"2020-01-01,{name},1,2\n" for name in names)
    _, router, bad = await replay(write(text), symbol=None)
    assert router.quotes["symbol"].tolist() == [b"S:A", "S:ü".encode()]
    assert [number for number, _ in bad] == [3, 4, 5, 6]
    assert bad[0] == (3, "symbol is empty")


async def test_bad_timeframes(write):
    text = "time,open,high,low,close,timeframe\n2020-01-01,1,1,1,1,1h\n2020-01-01,1,1,1,1,7h\n"
    _, router, bad = await replay(write(text))
    assert router.candles["timeframe"].tolist() == [b"1h"]
    assert bad[0][0] == 3
    assert "'7h' is not known; allowed: 1s" in bad[0][1]


async def test_a_file_without_a_usable_row_is_an_error(write):
    with pytest.raises(FeedError, match="no usable row; line 2: ask: 'x' is not a number"):
        await replay(write("time,bid,ask\n2020-01-01,1,x\n"), loop=True)
    with pytest.raises(FeedError, match=r"no usable row$"):
        await replay(write("time,bid,ask\n"))


async def test_bad_rows_are_logged_but_not_without_end(write, caplog):
    caplog.set_level(logging.WARNING, "fastrouter.feeds")
    text = "2020-01-01,1,2\n" + "2020-01-01,1,x\n" * 100
    feed = ReplayFeed(write(text), symbol="S:A", speed=None)
    await feed.run(Recorder())
    assert feed.bad_rows == 100
    assert len(caplog.messages) == REPORTS + 1
    assert caplog.messages[0].endswith("data.csv: line 2: ask: 'x' is not a number")
    assert caplog.messages[-1].endswith("100 bad rows in all")


async def test_a_long_run_of_bad_rows_gives_the_loop_its_turns(write):
    text = "2020-01-01,1,2\n" + "2020-01-01,1,x\n" * 30_000
    feed, router, _ = await replay(write(text))
    assert (feed.published, feed.bad_rows) == (1, 30_000)
    assert router.drains >= len(text) // BLOCK_BYTES


# Pace


async def paced(path, candles=(), **options):
    time = Time(5_000 * S)
    feed = ReplayFeed(path, symbol="S:A", clock=time.clock, sleep=time.sleep, **options)
    router = Recorder(time.clock, candles)
    await feed.run(router)
    return router, time


@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
async def test_the_original_pace_times_a_speed(write, speed):
    router, _ = await paced(write(TICKS), speed=speed)
    for (at, rows), time in zip(router.batches, TICK_TIMES, strict=True):
        assert len(rows) == 1
        assert 0 <= (at - 5_000 * S) - (time - TICK_TIMES[0]) / speed <= MS


async def test_rows_of_a_millisecond_go_together(write):
    offsets = [0, 200, 999, 1000, 5000, 5999, 6001]
    text = "".join(f"{NEW_YEAR // 1000 + us},1,2\n" for us in offsets)
    router, _ = await paced(write(text), time_format="us")
    assert [len(rows) for _, rows in router.batches] == [3, 1, 2, 1]


async def test_a_row_that_goes_backward_does_not_wait(write):
    text = "".join(f"{1577836800 + s},1,2\n" for s in (0, 10, 5, 11))
    router, time = await paced(write(text))
    assert router.quotes["time"].tolist() == [NEW_YEAR + s * S for s in (0, 10, 5, 11)]
    assert time.now == pytest.approx(5_011 * S, abs=2 * MS)


async def test_times_before_the_epoch_have_a_pace_too(write):
    router, time = await paced(write("1969-12-31 23:59:58,1,2\n1970-01-01 00:00:01,1,2\n"))
    assert router.quotes["time"].tolist() == [-2 * S, S]
    assert time.now == pytest.approx(5_003 * S, abs=2 * MS)


@pytest.mark.parametrize(("block", "sizes"), [(64, [64, 64, 22]), (100, [100, 50]), (999, [150])])
async def test_as_fast_as_possible_waits_for_the_router_after_each_block(write, block, sizes):
    _, router, _ = await replay(write("2020-01-01,1,2\n" * 150), block=block)
    assert [len(rows) for _, rows in router.batches] == sizes
    assert router.drains == len(sizes)


async def looped(path, passes, **options):
    """The rows of some passes."""
    feed = ReplayFeed(path, symbol="S:A", speed=None, loop=True, **options)
    router = Recorder()
    done = asyncio.Event()

    async def drained():
        if feed.passes == passes:
            done.set()
        await asyncio.sleep(0)

    router.drained = drained
    task = asyncio.create_task(feed.run(router))
    await done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return feed, router


async def test_a_loop_keeps_times_rising(write):
    feed, router = await looped(
        write("2020-01-01 00:00:00,1,2\nx,1,2\n2020-01-01 00:00:10,1,2\n"), 3
    )
    assert ((router.quotes["time"][:6] - NEW_YEAR) // S).tolist() == [0, 10, 20, 30, 40, 50]
    assert feed.bad_rows == 1, "a bad row counts once"


async def test_looped_bars_go_on_without_a_gap(write):
    _, router = await looped(write(BARS), 3)
    assert (np.diff(router.candles["time"][:6]) == 60 * S).all()


async def test_a_loop_ends_where_time_does(write):
    path = write("time,bid,ask\n1900-01-01,1,2\n2200-01-01,1,2\n")
    with pytest.raises(FeedError, match="after 1 passes its times overflow"):
        await replay(path, loop=True)


async def test_the_files_time_closes_candles(write):
    text = "".join(f"2020-01-01 00:00:0{s},{s + 1},{s + 1}\n" for s in (0, 0, 5))
    feed = ReplayFeed(write(text), symbol="S:A", speed=None)
    router = Recorder(candles=["1s"])
    await feed.run(router)
    assert [(candle.time, candle.volume) for _, candle in router.closed] == [(NEW_YEAR, 2.0)]
    assert feed.published == 3


async def test_other_symbols_close_what_is_silent(write):
    text = "time,symbol,bid,ask\n2020-01-01 00:00:00,S:A,1,1\n2020-01-01 00:01:30,S:B,2,2\n"
    router = Recorder(candles=["1m"])
    await ReplayFeed(write(text), speed=None, block=1).run(router)
    assert [candle.symbol for _, candle in router.closed] == ["S:A"]


async def test_paced_candles_close_in_silence(write):
    path = write("2020-01-01 00:00:00,1,1\n2020-01-01 00:01:30,2,2\n")
    router, _ = await paced(path, candles=["1m"])
    assert len(router.closed) == 1
    assert 0 <= router.closed[0][0] - 5_060 * S <= 2 * MS


@pytest.mark.parametrize("block", [1, 2, 64])
async def test_volumes_of_quotes_go_with_them(write, block):
    text = "time,bid,ask,Volume\n" + "".join(
        f"2020-01-01 00:00:0{n},1,{ask},{volume}\n"
        for n, (ask, volume) in enumerate([(2, 7), ("x", 8), (2, ""), (2, 0.5)])
    )
    feed = ReplayFeed(write(text), symbol="S:A", speed=None, block=block)
    router = Recorder(candles=["1m"])
    await feed.run(router)
    assert router.volumes == [7.0, 0.0, 0.5]
    router.close_candles(NEW_YEAR + 60 * S)
    assert [candle.volume for _, candle in router.closed] == [7.5]


async def test_no_volumes_without_a_column(write):
    _, router, _ = await replay(write("20200101 170000065,1.1,1.2,0\n"))
    assert len(router.quotes) == 1
    assert router.volumes == []


# Progress


class Steps:
    def __init__(self):
        self.steps = []

    def begin(self, what, total):
        self.steps.append(("begin", what, total))

    def move(self, position):
        self.steps.append(("move", position))

    def end(self):
        self.steps.append(("end",))


async def test_progress_is_told(write):
    steps = Steps()
    await replay(write(TICKS), progress=steps)
    size = len(TICKS)
    assert steps.steps == [("begin", "data.csv", size), ("move", size), ("end",)]


async def test_progress_ends_when_the_feed_fails(write):
    steps = Steps()
    with pytest.raises(FeedError):
        await replay(write(BAD), progress=steps, strict=True)
    assert steps.steps[-1] == ("end",)


def test_a_bar_is_for_terminals(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress.terminal_progress() is None
    pytest.importorskip("rich")
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = progress.terminal_progress()
    for _ in range(2):
        bar.begin("data.csv", 10)
        bar.move(10)
        bar.end()


# What is refused


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "the file is empty"),
        ("\n\n", {}, "the file is empty"),
        ("a,b\n1,2\n", {}, "neither bid, ask nor open, high, low, close found; the file has a, b"),
        ("bid,ask\n1,2\n", {}, "quotes need a column for time; the file has bid, ask"),
        ("time,bid,ask,o,h,l,c\n", {}, "could be quotes or bars: say kind"),
        ("1,2,3,4,5\n", {}, "no header and 5 columns: say kind or columns"),
        ("1,2\n", {"kind": "quotes"}, "quotes need a column for ask; the file has no header"),
        ("1,2,3\n", {"kind": "trades"}, "kind 'trades' is not known; allowed: quotes, bars"),
        ("1,2,3\n", {"columns": {"bod": 1}}, "field 'bod' is not known; allowed: time, symbol"),
        ("1,2,3\n", {"columns": {"bid": "b"}}, "column 'b' for bid is not there"),
        ("1,2,3\n", {"columns": {"bid": 3}}, "column 3 for bid is not in 0 to 2"),
        ("1,2,3\n", {"columns": {"bid": -1}}, "column -1 for bid is not in 0 to 2"),
        ("1,2,3\n", {"symbol": None}, "no column names the symbol"),
        ("1,2,3\n", {"symbol": "S A"}, "holds a character that no symbol may have"),
        ("1,2,3\n", {"time_format": "min"}, "time format 'min' is not known; allowed: iso"),
        ("1,2,3\n", {"speed": 0.0}, "speed must be a positive number"),
        ("1,2,3\n", {"speed": float("nan")}, "speed must be a positive number"),
        ("1,2,3\n", {"block": 0}, "block must be at least 1"),
        ("1,2,3\n", {"delimiter": ",,"}, "delimiter must be one character"),
        (BARS, {"timeframe": "7m"}, "timeframe '7m' is not known"),
        ("1" * (LONGEST_LINE + BLOCK_BYTES), {}, "line 1: it has more than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_replayed_is_refused_at_once(write, text, options, message):
    with pytest.raises(FeedError) as caught:
        ReplayFeed(write(text), **({"symbol": "S:A"} | options))
    assert message in str(caught.value)


async def test_a_timeframe_that_cannot_be_told_is_asked_for(write):
    head, *rows = BARS.splitlines(keepends=True)
    with pytest.raises(FeedError, match="too few bars to tell their timeframe"):
        await replay(write(head + rows[0]))
    seven = "2021-12-31 23:08:00.000000,1,1,1,1,1\n"
    with pytest.raises(FeedError, match="bars are 420 s apart, which is no timeframe"):
        await replay(write(head + rows[0] + seven))
    _, router, _ = await replay(write(head + rows[0]), timeframe="4h")
    assert router.candles["timeframe"].tolist() == [b"4h"]


def test_files_that_cannot_be_read(tmp_path, write):
    with pytest.raises(FeedError, match="No such file"):
        ReplayFeed(tmp_path / "none.csv")
    with pytest.raises(FeedError, match="is a folder; name one of its files: there are none"):
        ReplayFeed(tmp_path)
    write("1", "b.csv"), write("1", "a.csv")
    with pytest.raises(FeedError, match=r"name one of its files: a\.csv, b\.csv"):
        ReplayFeed(tmp_path)
    with pytest.raises(FeedError, match="cannot be read"):
        ReplayFeed(write(b"PAR1 but no more"))
    with pytest.raises(FeedError, match="cannot be read"):
        ReplayFeed(write(gzip.compress(TICKS.encode())[:-12]))


def test_what_is_called_parquet_and_is_none_is_not_shown(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(FeedError, match="is no Parquet file: it does not begin with PAR1"):
        open_source(path)


async def test_columns_of_the_wrong_type(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"time": [NEW_YEAR], "bid": [[1.0]], "ask": [1.0]}), path)
    with pytest.raises(FeedError, match=r"column for bid has type list.*, not numbers"):
        await replay(path)
    pq.write_table(pa.table({"time": [True], "bid": [1.0], "ask": [1.0]}), path)
    with pytest.raises(FeedError, match="column for time has type bool, not times"):
        await replay(path)


def test_without_pyarrow_it_says_what_to_install(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    with pytest.raises(FeedError, match=r"pip install 'fastrouter\[replay\]'"):
        ReplayFeed(write(TICKS))


@pytest.mark.parametrize("spec", ["replay", "replay:"])
def test_a_replay_needs_a_file(spec):
    with pytest.raises(FeedError, match=r"missing a required argument: 'path'; options: kind,"):
        open_feed(spec)


def test_a_replay_is_opened_by_its_path(write):
    path = write(TICKS, "a:b.csv")
    feed = open_feed(f"replay:{path}", symbol="C:EURUSD", speed=10, loop=True)
    assert feed.describe() == f"replay of {path}: quotes of C:EURUSD, 10x, looping"


# Columns and times


def test_names_are_found_as_people_write_them():
    names = ["<DATE>", "Bid-Price", "ASK", "Bid Size", "Symbol", "Vol"]
    found = {"time": 0, "bid": 1, "ask": 2, "symbol": 4}
    assert map_columns(names, 6).positions == found | {"bid_size": 3, "volume": 5}
    told = {"bid_size": None, "last": "Vol"}
    assert map_columns(names, 6, columns=told).positions == found | {"last": 5}
    order = ["time", "open", "high", "low", "close", "volume"]
    assert list(map_columns(None, 7).positions) == order


def nanoseconds(moment):
    return (moment - EPOCH) // dt.timedelta(microseconds=1) * 1000


def moments(n, seed):
    rng = random.Random(seed)
    first = nanoseconds(dt.datetime(1972, 1, 1, tzinfo=dt.UTC))
    last = nanoseconds(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
    return [EPOCH + dt.timedelta(microseconds=rng.randrange(first, last) // 1000) for _ in range(n)]


def parsed(cells, form=None, kind=None):
    times, good = TimeParser(form).parse(pa.array(cells, kind))
    return [time if ok else None for time, ok in zip(times.tolist(), good.tolist(), strict=True)]


@pytest.mark.parametrize(
    "written",
    [
        dt.datetime.isoformat,
        lambda t: t.isoformat(" "),
        lambda t: t.isoformat().replace("+00:00", "Z"),
        lambda t: t.isoformat().replace("+00:00", ""),
        lambda t: t.isoformat(" ").replace("+00:00", " UTC"),
        lambda t: t.strftime("%Y.%m.%d %H:%M:%S.%f"),
        lambda t: t.strftime(" %Y/%m/%dT%H:%M:%S.%f"),
        lambda t: t.astimezone(dt.timezone(dt.timedelta(hours=5.5))).isoformat(),
        lambda t: t.strftime("%Y%m%d %H%M%S%f"),
        lambda t: t.strftime("%Y%m%d %H:%M:%S.%f"),
        lambda t: str(nanoseconds(t)),
        lambda t: str(nanoseconds(t) // 1000),
        lambda t: f"{nanoseconds(t) / 1e6:.3f}",
        lambda t: f"{nanoseconds(t) // S}.{nanoseconds(t) % S:09}",
    ],
)
def test_times_are_those_of_the_standard_library(written):
    times = [t for t in moments(500, 1) if nanoseconds(t) > 10**17]  # else ns look like us
    assert parsed([written(t) for t in times]) == [nanoseconds(t) for t in times]


@pytest.mark.parametrize(
    ("form", "cell", "time"),
    [
        (None, "2020-01-01", NEW_YEAR),
        (None, "20200101", NEW_YEAR),
        (None, "20200101 000001", NEW_YEAR + S),
        (None, "1577836800", NEW_YEAR),
        (None, "1577836800.5", NEW_YEAR + S // 2),
        (None, "1577836800123", NEW_YEAR + 123 * MS),
        (None, "1577836800123456", NEW_YEAR + 123_456_000),
        (None, "1577836800123456789", NEW_YEAR + 123_456_789),
        (None, "2020-01-01T00:00:00.123456789Z", NEW_YEAR + 123_456_789),
        (None, "2020-01-01 01:00+01:00", NEW_YEAR),
        ("compact", "20200101000001", NEW_YEAR + S),
        ("s", "-1.5", -1_500 * MS),
        ("s", "0.000000001", 1),
        ("ns", "1", 1),
        ("s", "9223372035", 9223372035 * S),
        ("s", "9223372037", None),
        ("ms", "99999999999999999999", None),
        ("iso", "1577836800", None),
        ("iso", "3000-01-01 00:00:00", None),
        ("iso", "2020-02-30", None),
        ("compact", "20201301 000000", None),
        (None, "noon", None),
        (None, "", None),
    ],
)
def test_times_one_by_one(form, cell, time):
    good = {"iso": "2020-01-01", "compact": "20200101 000000"}.get(form, "1")
    assert parsed([cell], form) == [time]
    if form:
        assert parsed([good, cell, good], form)[1] == time, "among others, too"


def test_a_time_that_is_wrong_leaves_the_others_alone():
    rng = random.Random(2)
    times = moments(300, 2)
    cells = [t.isoformat() for t in times]
    expected = [nanoseconds(t) for t in times]
    for i in rng.sample(range(300), 30):
        cells[i], expected[i] = cells[i][: rng.randrange(9)] + "?", None
    assert parsed(cells) == expected


@pytest.mark.parametrize(
    ("kind", "cells", "times"),
    [
        (pa.timestamp("s"), [1577836800, None], [NEW_YEAR, None]),
        (pa.timestamp("ns", "UTC"), [NEW_YEAR + 1], [NEW_YEAR + 1]),
        (pa.date32(), [dt.date(2020, 1, 1)], [NEW_YEAR]),
        (pa.timestamp("s"), [1577836800, 10**12], [NEW_YEAR, None]),
        (pa.int64(), [NEW_YEAR, None], [NEW_YEAR, None]),
        (pa.int64(), [1577836800], [NEW_YEAR]),
        (pa.uint64(), [1577836800000, 2**64 - 1], [NEW_YEAR, None]),
        (pa.float64(), [1577836800.5, float("nan"), 1e300], [NEW_YEAR + S // 2, None, None]),
        (pa.large_string(), ["2020-01-01"], [NEW_YEAR]),
    ],
)
def test_times_of_typed_columns(kind, cells, times):
    assert parsed(cells, None, kind) == times


def test_every_time_format_is_told_by_its_name():
    assert TIME_FORMATS == ("iso", "compact", "s", "ms", "us", "ns")


def test_a_source_reads_only_what_is_wanted(write):
    source = CsvSource(write(TICKS), zipped=False, delimiter=None, header=None)
    assert (source.names, source.width, source.total) == (None, 4, len(TICKS))
    (lines,) = source.batches([2])
    batch = lines.batch
    assert list(batch.columns) == [2]
    assert batch.columns[2].to_pylist() == ["1.121720", "1.121920", "1.121610"]
    assert batch.numbers.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,open,high,low,close\n2020-01-01,5,4,3,3\n", "high is below open or close"),
        ("time,open,high,low,close\n2020-01-01,5,6,5.5,5.6\n", "low is above open or close"),
        ("time,open,high,low,close,volume\n2020-01-01,1,1,1,1,-2\n", "volume is negative"),
        ("time,bid,ask,volume\n2020-01-01,1,1,-2\n", "volume is negative"),
        ("time,bid,ask,volume\n2020-01-01,1,1,nan\n", "volume: nan is not finite"),
        ("time,bid,ask,volume\n2020-01-01,1,1,many\n", "volume: 'many' is not a number"),
        ("time,bid,ask,bid_size\n2020-01-01,1,2,-3\n", "bid_size is negative"),
        ("time,bid,ask,ask_size\n2020-01-01,1,2,-3\n", "ask_size is negative"),
    ],
)
async def test_rows_that_make_no_sense(write, text, why):
    head, row = text.splitlines()
    good = "2020-01-02" + "".join(",1" for _ in head.split(",")[1:])
    _, router, bad = await replay(write(f"{head}\n{row}\n{good}\n"), timeframe="1d")
    assert bad == [(2, why)]
    assert len(router.candles) + len(router.quotes) == 1
