"""Lines at once, against the same lines column by column, and against plain Python."""

from __future__ import annotations

import datetime as dt
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastrouter.core.dtypes import QUOTE_DTYPE
from fastrouter.feeds.columns import map_columns
from fastrouter.feeds.rows import FAULTS, RowBuilder
from fastrouter.feeds.scanner import Scanner
from fastrouter.feeds.source import Lines, open_source
from fastrouter.feeds.times import TimeParser

pytest.importorskip("pyarrow")

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
QUOTES = ("time", "symbol", "bid", "ask", "last", "bid_size", "ask_size", "volume", "note")
BARS = ("time", "symbol", "timeframe", "open", "high", "low", "close", "volume", "note")
SYMBOLS = ("S:AAPL", "C:EURUSD", "X", "S:" + "x" * 30, "S:ü", "a-b.c/d")
#: what a cell may hold that is not what it should be, or is so in another way
ODD = (
    *(
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "x",
        "1_0",
        "+5",
        "1e5",
        "1E-3",
        "-0",
        "0x10",
        "1.",
        ".",
    ),
    *(
        ".5",
        "1e400",
        "1e-400",
        "1" * 40,
        "0." + "1" * 40,
        "-3",
        " 7 ",
        "\t7",
        '"8"',
        '"',
        "1,5",
        "5\r",
    ),
    *(
        "9007199254740993",
        "3.14159265358979323846",
        "5e-324",
        "1.7976931348623157e308",
        "\u22121",
        "\0",
    ),
    *("2020-01-01", "99999999999999999999", "1.5.2", "--1", "1-", "1 2", "\udcff", "S:a b", "S:*"),
)


def moment(rng: random.Random) -> int:
    return rng.randrange(-(10**17), 4 * 10**18)


def stamp(ns: int, rng: random.Random) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=ns // 1000)


#: form -> how a time (ns) is written in it
FORMS: dict[str, Any] = {
    "ns": lambda ns, rng: str(ns),
    "us": lambda ns, rng: str(ns // 1000),
    "ms": lambda ns, rng: rng.choice((f"{ns // 10**6}", f"{ns // 10**6}.{ns % 10**6:06}")),
    "s": lambda ns, rng: rng.choice((f"{ns // 10**9}", f"{ns // 10**9}.{ns % 1000}", "5.")),
    "iso": lambda ns, rng: rng.choice(
        (
            stamp(ns, rng).isoformat(),
            stamp(ns, rng).isoformat(" ").removesuffix("+00:00"),
            stamp(ns, rng).isoformat().replace("+00:00", "Z"),
            stamp(ns, rng).strftime("%Y/%m/%d %H:%M:%S.%f"),
            stamp(ns, rng).strftime("%Y.%m.%d %H:%M:%S"),
            stamp(ns, rng).astimezone(dt.timezone(dt.timedelta(hours=-3.5))).isoformat(" "),
            stamp(ns, rng).strftime("%Y-%m-%d"),
            stamp(ns, rng).strftime("%Y-%m-%dT%H:%M:%S.%f789Z"),
            stamp(ns, rng).strftime("%Y-%m-%d %H:%M"),
        )
    ),
    "compact": lambda ns, rng: rng.choice(
        (
            stamp(ns, rng).strftime("%Y%m%d %H%M%S%f")[:-3],
            stamp(ns, rng).strftime("%Y%m%d%H%M%S"),
            stamp(ns, rng).strftime("%Y%m%dT%H%M%S.%f"),
            stamp(ns, rng).strftime("%Y%m%d %H:%M:%S"),
            stamp(ns, rng).strftime("%Y%m%d"),
        )
    ),
}


def number(rng: random.Random) -> str:
    return rng.choice(
        (
            str(rng.randrange(10**6)),
            repr(rng.lognormvariate(3, 2)),
            f"{rng.random() * 1000:.{rng.randrange(1, 9)}f}",
            repr(rng.random() * 10 ** rng.randrange(-30, 30)),
            f"{rng.randrange(10**17, 10**19)}",
        )
    )


def cell(field: str, form: str, rng: random.Random) -> str:
    if field == "time":
        return str(FORMS[form](moment(rng), rng))
    if field == "symbol":
        return rng.choice(SYMBOLS)
    if field == "timeframe":
        return rng.choice(("1m", "5m", "1d"))
    return {"open": "5", "close": "5.0", "high": "1e15", "low": "0"}.get(field) or number(rng)


def table(seed: int, oddity: float) -> tuple[str, bytes, str]:
    """The kind of a random table, its text, and the format of its times."""
    rng = random.Random(seed)
    kind, names = rng.choice((("quotes", QUOTES), ("bars", BARS)))
    fields = [name for name in names if rng.random() < 0.8 or name in names[:4] + names[6:7]]
    if kind == "bars":
        fields = [name for name in names if name in fields or name in names[:7]]
    rng.shuffle(fields)
    delimiter = rng.choice(",;\t|")
    form = rng.choice(list(FORMS))
    lines = [delimiter.join(fields)]
    quoted = rng.random() < 0.5
    for _ in range(rng.randrange(1, 40)):
        cells = [cell(field, form, rng) for field in fields]
        if rng.random() < oddity:
            cells[rng.randrange(len(cells))] = rng.choice(ODD)
        if rng.random() < oddity / 10:
            cells.append("1")
        if quoted:
            cells = [f'"{cell}"' if rng.random() < 0.5 else cell for cell in cells]
        lines.append(delimiter.join(cells) if rng.random() > oddity / 10 else "")
    end = rng.choice(("\n", "\r\n"))
    text = end.join(lines) + end * (rng.random() < 0.7)
    return kind, text.encode(errors="surrogateescape"), form


def builder_of(path: Path, kind: str, form: str | None) -> tuple[RowBuilder, Any]:
    source = open_source(path)
    mapped = map_columns(source.names, source.width, kind=kind)
    builder = RowBuilder(mapped, TimeParser(form), symbol=None, timeframe=None)
    return builder, source.batches(builder.wanted)


def built(path: Path, kind: str, form: str | None, at_once: bool) -> list[Any]:
    builder, batches = builder_of(path, kind, form)
    found = []
    for lines in batches:
        assert isinstance(lines, Lines)
        rows, volumes, bad = (
            builder.build(lines) if at_once else builder.build_of_columns(lines.batch)
        )
        assert len(rows) + len(bad) <= lines.count
        found.append((rows.tobytes(), None if volumes is None else volumes.tobytes(), bad))
    return found


@pytest.mark.parametrize("oddity", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("told", [True, False])
def test_it_is_the_same_as_column_by_column(tmp_path: Path, oddity: float, told: bool):
    path = tmp_path / "x.csv"
    for seed in range(150):
        kind, text, form = table(seed, oddity)
        path.write_bytes(text)
        expected = built(path, kind, form if told else None, at_once=False)
        assert built(path, kind, form if told else None, at_once=True) == expected, f"seed {seed}"


def test_good_lines_are_taken_at_once(tmp_path: Path):
    path = tmp_path / "x.csv"
    taken = 0
    for seed in range(100):
        kind, text, form = table(seed, 0.0)
        path.write_bytes(text)
        builder, batches = builder_of(path, kind, form)
        for lines in batches:
            builder.build(lines)
            taken += "batch" not in vars(lines)
    assert taken > 60  # the others have a form of time that takes a closer look


BLANK = np.zeros(1, QUOTE_DTYPE)
BLANK["last"] = np.nan
BLANK["symbol"] = b"S:A"


def scanner(*fields: str | None, delimiter: str = ",") -> Scanner:
    optional = {"last", "bid_size", "ask_size", "volume"}
    return Scanner(BLANK, list(fields), optional, delimiter, FAULTS)


def test_numbers_are_those_of_python():
    rng = random.Random(1)
    texts = [number(rng) for _ in range(20_000)]
    texts += ["-" + text for text in texts]
    text = "".join(f"{i},{bid},1\n" for i, bid in enumerate(texts)).encode()
    found = scanner("time", "bid", "ask").scan(text, "s", 10**9)
    assert found is not None
    assert found[0]["bid"].tolist() == [float(bid) for bid in texts]


def test_times_are_those_of_the_standard_library():
    rng = random.Random(2)
    for form in ("iso", "compact", "us"):
        times = [moment(rng) // 1000 * 1000 for _ in range(5000)]
        write = {"iso": "%Y-%m-%dT%H:%M:%S.%fZ", "compact": "%Y%m%d %H%M%S%f"}.get(form)
        texts = [stamp(ns, rng).strftime(write) if write else str(ns // 1000) for ns in times]
        text = "".join(f"{text},1,1\n" for text in texts).encode()
        found = scanner("time", "bid", "ask").scan(text, form, 1000)
        assert found is not None
        assert found[0]["time"].tolist() == times


def test_nothing_of_it_is_used_when_one_line_is_bad():
    one = scanner("time", "bid", "ask", "volume")
    found = one.scan(b"1,2,3,4\n2,3,4,", "ns", 1)
    assert found is not None
    rows, volumes = found
    assert rows["last"].tolist() == [2.5, 3.5]
    assert volumes is not None
    assert volumes.tolist() == [4.0, 0.0]
    for bad in (b"1,2,3", b"1,2,3,4,5", b"1,2,,4", b"\n", b"1,2,x,4", b"1,2,3,-4", b"1,2,3,4\r4"):
        assert one.scan(b"1,2,3,4\n" + bad + b"\n1,2,3,4\n", "ns", 1) is None, bad
    assert one.scan(b"", "ns", 1) is not None


def test_a_quoted_cell_is_its_text():
    one = scanner("time", "bid", "ask", None)
    found = one.scan(b'"1","2",3,"a,b"\n"2",3,"4",x\r\n3,"4",5,""', "ns", 1)
    assert found is not None
    assert found[0]["bid"].tolist() == [2.0, 3.0, 4.0]
    for bad in (
        b'1,2,3,"a""b"',
        b'1,2,3,a"b',
        b'1,2,3,"a"b',
        b'1,2,3,"a',
        b'1,"2,3,4',
        b'1,"",3,4',
    ):
        assert one.scan(bad + b"\n1,2,3,4\n", "ns", 1) is None, bad


def test_a_text_that_is_none_is_told_apart_each_time():
    one = scanner("time", "symbol", "bid", "ask")
    assert one.scan(b"1,S:A,1,2\n", "ns", 1) is not None
    for bad in (b"S:*", b"", b" S:A", b"\xff", b"x" * 33, "S:\ufffd".encode()):
        for _ in range(2):
            assert one.scan(b"1,%s,1,2\n1,S:A,1,2\n" % bad, "ns", 1) is None
    assert one.scan(b"1,S:A,1,2\n", "ns", 1) is not None


def test_a_mid_is_that_of_numpy():
    rng = random.Random(3)
    pairs = [(rng.lognormvariate(0, 9), rng.lognormvariate(0, 9)) for _ in range(5000)]
    text = "".join(f"1,{bid!r},{ask!r}\n" for bid, ask in pairs).encode()
    found = scanner("time", "bid", "ask").scan(text, "ns", 1)
    assert found is not None
    limit = 2**53 / 10**10
    for last, (bid, ask) in zip(found[0]["last"].tolist(), pairs, strict=True):
        middle = (bid + ask) / 2
        assert last == (float(np.round(middle, 10)) if abs(middle) < limit else middle)
        assert not math.isnan(last)


@pytest.mark.parametrize("delimiter", ["", ",,", "1", ".", "-", " ", '"', "ü", "\n"])
def test_what_cannot_end_a_cell(delimiter: str):
    with pytest.raises(ValueError, match="a cell does not end with"):
        scanner("time", "bid", "ask", delimiter=delimiter)


def test_too_many_columns():
    with pytest.raises(ValueError, match="there are 65 columns; allowed: 64"):
        scanner(*[None] * 65)
