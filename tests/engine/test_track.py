"""One file: when its rows are known, what is wanted of it, what is wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from fastrouter.engine.track import EVERYTHING, Reading, Span, Track
from fastrouter.errors import FeedError

SECOND = 10**9
MINUTE = 60 * SECOND

BARS = """time,symbol,timeframe,open,high,low,close,volume
0,S:A,1m,1,2,1,2,10
60000000000,S:A,1m,2,3,2,3,10
60000000000,S:B,5m,2,3,2,3,10
"""


def quotes(*lines: str) -> str:
    return "\n".join(("time,symbol,bid,ask", *lines)) + "\n"


@pytest.fixture
def file(tmp_path):
    def write(text: str, name: str = "x.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def rows(track: Track, span: Span = EVERYTHING) -> list[tuple[int, str]]:
    return [
        (int(instant), row["symbol"].decode())
        for block in track.blocks(span)
        for instant, row in zip(block.instants, block.rows, strict=True)
    ]


def test_a_quote_is_known_at_its_time(file):
    track = Track(file(quotes("1,S:A,1,2", "2,S:B,1,2", "2,S:A,1,2")), Reading(time_format="s"))
    assert rows(track) == [(SECOND, "S:A"), (2 * SECOND, "S:B"), (2 * SECOND, "S:A")]


def test_a_bar_is_known_when_it_closes(file):
    track = Track(file(BARS), Reading(time_format="ns"))
    assert rows(track) == [(MINUTE, "S:A"), (2 * MINUTE, "S:A"), (6 * MINUTE, "S:B")]


def test_a_span_is_instants_and_symbols(file):
    track = Track(file(BARS), Reading(time_format="ns"))
    assert rows(track, Span(start=2 * MINUTE)) == [(2 * MINUTE, "S:A"), (6 * MINUTE, "S:B")]
    assert rows(track, Span(end=2 * MINUTE)) == [(MINUTE, "S:A")]
    assert rows(track, Span(symbols=frozenset({b"S:B", b"S:X"}))) == [(6 * MINUTE, "S:B")]


def test_the_same_file_reads_the_same_twice(file):
    track = Track(file(BARS), Reading(time_format="ns"))
    first, second = list(track.blocks()), list(track.blocks())
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(first, second, strict=True))


def test_a_row_out_of_order_is_named_by_its_line(file):
    path = file(quotes("5,S:A,1,2", "bad,S:A,1,2", "6,S:A,1,2", "4,S:A,1,2"))
    with pytest.raises(FeedError, match=rf"^{path}: line 5 is of an earlier time"):
        list(Track(path, Reading(time_format="s")).blocks())


@pytest.mark.parametrize("size", [1 << 20, 1])
def test_a_bar_that_ends_before_the_one_above_it_is_named(file, size):
    """… in a file that is sorted by its times: one of an hour, and one of a minute within it."""
    head, *_ = BARS.splitlines()
    path = file(f"{head}\n0,S:A,1h,1,2,1,2,10\n0,S:A,1m,1,2,1,2,10\n")
    with pytest.raises(FeedError) as caught:
        list(Track(path, Reading(time_format="s")).blocks(size=size))
    assert str(caught.value) == (
        f"{path}: line 3 is a bar that ends before the one above it, and a bar counts at its end "
        "(its time plus its timeframe); sort the file by the end of the bars"
    )


def test_bad_rows_are_told_and_left_out(file):
    path = file(quotes("5,S:A,1,2", "6,S:A,x,2", "7,S:A"))
    told = []
    track = Track(path, Reading(time_format="s"))
    (block,) = track.blocks(on_bad=lambda *what: told.append(what))
    assert len(block.rows) == 1
    assert told == [(path, 3, "bid: 'x' is not a number"), (path, 4, "2 columns, expected 4")]


def test_what_is_no_data_is_named(file, tmp_path):
    with pytest.raises(FeedError, match="No such file"):
        Track(tmp_path / "none.csv")
    path = file("a,b\n1,2\n")
    with pytest.raises(FeedError, match=rf"^{path}: "):
        Track(path)
    path = file("time,bid,ask\n1,2,3\n")
    with pytest.raises(FeedError, match=rf"^{path}: no column names the symbol"):
        Track(path)
