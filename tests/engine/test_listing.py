"""What is listed of a folder, good files and bad ones."""

from __future__ import annotations

import os
import random
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastrouter.engine import listing as module
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.listing import Listed, Listing
from fastrouter.errors import FeedError

from .test_catalog import SECOND
from .test_catalog import folder as with_an_empty_one  # noqa: F401 -- a fixture


@pytest.fixture
def folder(with_an_empty_one):  # noqa: F811
    """Good ones alone."""
    shutil.rmtree(with_an_empty_one / "empty")
    return with_an_empty_one


def looked(path) -> dict[str, Listed]:
    listing = Listing(Catalog(path))
    listing.look()
    return {one.name: one for one in listing.found()}


def test_what_is_there(folder):
    assert looked(folder) == {
        "many": Listed(
            "many",
            "ready",
            ("quotes",),
            ("S:a", "S:b"),
            SECOND,
            5 * SECOND,
            4,
            0,
            ("many/a.csv", "many/b.csv"),
        ),
        "ticks": Listed(
            "ticks", "ready", ("quotes",), ("C:X",), SECOND, 2 * SECOND, 2, 1, ("ticks.csv",)
        ),
        "zipped": Listed(
            "zipped", "ready", ("bars",), ("S:A",), 60 * SECOND, 120 * SECOND, 2, 0,
            ("zipped.csv.gz",),
        ),
    }  # fmt: skip


def test_the_same_as_a_description(folder):
    catalog = Catalog(folder)
    for name, listed in looked(folder).items():
        assert catalog.open(name).describe() == (name, *listed[2:8])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.csv", b"what,is,this\n1,2,3\n", "bad.csv"),
        ("bad.csv", b"", "bad.csv"),
        ("bad.csv", b"\xff\xfe\x00" * 100, "bad.csv"),
        ("bad.csv.gz", b"no gzip", "bad.csv.gz"),
        ("bad.parquet", b"no parquet", "bad.parquet"),
        ("bad.csv", b"time,symbol,bid,ask\n5,S:A,1,2\n4,S:A,1,2\n", "line 3 is of an earlier time"),
        ("bad.toml", b"no toml", "bad.toml"),
        ("bad.toml", b'colour = "red"\n', "'colour' is not known; allowed: kind"),
    ],
)
def test_a_bad_one_is_listed_with_its_error(folder, name, content, said):
    if name == "bad.toml":
        (folder / "bad.csv").write_bytes(b"time,symbol,bid,ask\n5,S:A,1,2\n")
    (folder / name).write_bytes(content)
    found = looked(folder)
    assert [*found] == ["bad", "many", "ticks", "zipped"]
    assert found["bad"].state == "bad"
    assert said in found["bad"].error
    assert str(folder) not in found["bad"].error
    assert found["ticks"].state == "ready"


def test_one_without_rows(folder):
    (folder / "none.csv").write_text("time,symbol,bid,ask\n")
    found = looked(folder)["none"]
    assert found[3:8] == ((), None, None, 0, 0)
    assert (found.state, found.error) == ("bad", "there is no row")


def test_one_without_a_good_row(folder):
    (folder / "none.csv").write_text("time,symbol,bid,ask\n1,S:A,x,2\n2,,1,2\n")
    found = looked(folder)["none"]
    assert found[3:9] == ((), None, None, 0, 2, ("none.csv",))
    assert found.state == "bad"
    assert found.error == (
        "there is no row; left out: 2, the first is none.csv: line 2: bid: 'x' is not a number"
    )


def test_only_what_has_changed_is_read(folder, monkeypatch):
    read = []
    scan = module._scan
    monkeypatch.setattr(module, "_scan", lambda set, stop: read.append(set.name) or scan(set, stop))
    listing = Listing(Catalog(folder))
    listing.look()
    listing.look()
    assert read == ["many", "ticks", "zipped"]
    with (folder / "ticks.csv").open("a") as file:
        file.write("4,1.5,1.6\n")
    (folder / "zipped.csv.gz").unlink()
    (folder / "many" / "dataset.toml").write_text('time_format = "ms"\n')
    listing.look()
    assert read[3:] == ["many", "ticks"]
    many, ticks = listing.found()
    assert (many.first, ticks.rows) == (1_000_000, 3)


def test_a_file_that_is_mended_is_read(folder):
    (folder / "new.csv").write_text("")
    listing = Listing(Catalog(folder))
    listing.look()
    (folder / "new.csv").write_text("time,symbol,bid,ask\n1,S:A,1,2\n")
    listing.look()
    assert {one.name: one.state for one in listing.found()}["new"] == "ready"


def test_a_folder_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    listing = Listing(Catalog(gone))
    gone.rmdir()
    listing.look()
    assert listing.names() == listing.found() == []


def test_a_name_that_is_no_text(folder):
    for content in (b"", b"time,symbol,bid,ask\n1,S:A,1,2\n"):
        with open(os.fsencode(folder) + b"/\xff.csv", "wb") as file:
            file.write(content)
        (found,) = (one for one in looked(folder).values() if one.name == "?")
        assert f"{found.files}{found.error}".encode()


def test_when_it_is_stopped(folder):
    listing = Listing(Catalog(folder))
    listing.stop()
    listing.look()
    assert {one.state for one in listing.found()} == {"reading"}
    assert {one.rows for one in listing.found()} == {None}


def test_symbols_are_bounded(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST_SYMBOLS", 1)
    found = looked(folder)
    assert found["many"].error == "many/b.csv: more than 1 symbols"
    assert found["ticks"].state == "ready"


def test_against_numpy(tmp_path):
    rnd = np.random.default_rng(7)
    count = 300_000
    times = np.sort(rnd.integers(10**18, 10**18 + 10**15, count))
    names = np.array([f"S:{number}" for number in random.Random(7).sample(range(1000), 50)])
    symbols = names[rnd.integers(0, len(names), count)]
    table = {"time": pa.array(times, pa.timestamp("ns", "UTC")), "symbol": symbols,
             "bid": rnd.random(count) + 1, "ask": rnd.random(count) + 3}  # fmt: skip
    pq.write_table(pa.table(table), tmp_path / "large.parquet")
    (found,) = looked(tmp_path).values()
    assert found[2:8] == (
        ("quotes",), tuple(sorted(set(symbols.tolist()))), times[0], times[-1], count, 0,
    )  # fmt: skip


def test_without_a_folder_there_is_a_made_up_market():
    listing = Listing(None)
    listing.look()
    (found,) = listing.found()
    assert (found.name, found.state, found.rows) == ("synthetic", "ready", 14_400)
    assert listing.names() == ["synthetic"]


def test_what_only_looks_like_a_data_set_is_listed_and_never_opened(folder):
    (folder / "gone.csv").symlink_to(folder / "nowhere.csv")
    os.mkfifo(folder / "pipe.parquet")
    (folder / "hollow").mkdir()
    (folder / "hollow" / "notes.txt").write_text("nothing")
    (folder / ".hidden").mkdir()
    for hidden in (folder / "._ticks.csv", folder / "many" / "._a.csv", folder / ".hidden/a.csv"):
        hidden.write_bytes(b"\0\5\x16\7")  # as a Mac leaves them
    found = looked(folder)
    assert {name: found[name].error for name in ("gone", "pipe", "hollow")} == {
        "gone": "gone.csv is a link to nothing",
        "pipe": "pipe.parquet is neither a file nor a folder",
        "hollow": "no file in it ends with .csv, .csv.gz, .parquet",
    }
    assert {one.state for one in map(found.get, ("gone", "pipe", "hollow"))} == {"bad"}
    assert (found["ticks"].state, found["many"].state) == ("ready", "ready")
    assert not [name for name in found if name.startswith(".")]
    assert Catalog(folder).names() == ["many", "ticks", "zipped"]


def test_what_has_the_same_name_is_listed_and_refused(folder):
    (folder / "ticks.parquet").write_text("")
    (folder / "many.csv").write_text("time,symbol,bid,ask\n1,S:A,1,2\n")
    said = {
        "ticks": "the name is ambiguous: ticks.csv and ticks.parquet have it; rename all but one",
        "many": "the name is ambiguous: many/ and many.csv have it; rename all but one",
    }
    found = looked(folder)
    assert {name: (found[name].state, found[name].error) for name in said} == {
        name: ("bad", why) for name, why in said.items()
    }
    catalog = Catalog(folder)
    assert catalog.names() == ["zipped"]
    for name, why in said.items():
        with pytest.raises(FeedError, match=f"data set '{name}' in .*: {why}"):
            catalog.open(name)


def test_a_good_one_of_the_same_name_goes_before(folder):
    (folder / "ticks").mkdir()
    assert looked(folder)["ticks"].state == "ready"
