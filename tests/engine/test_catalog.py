"""A folder of data sets, and what is said of them."""

from __future__ import annotations

import gzip

import pytest

from fastrouter.engine.catalog import Catalog, open_dataset
from fastrouter.engine.track import Reading
from fastrouter.errors import FeedError

SECOND = 10**9


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ticks.csv").write_text("1,1.5,1.6\n2,1.6,1.7\n3,x,1.7\n")
    (tmp_path / "ticks.toml").write_text('symbol = "C:X"\ntime_format = "s"\n')
    bars = "time,symbol,open,high,low,close\n0,S:A,1,1,1,1\n60,S:A,1,1,1,1\n"
    (tmp_path / "zipped.csv.gz").write_bytes(gzip.compress(bars.encode()))
    many = tmp_path / "many"
    many.mkdir()
    for name in "ab":
        (many / f"{name}.csv").write_text(f"time,symbol,bid,ask\n1,S:{name},1,2\n5,S:{name},1,2\n")
    (many / "dataset.toml").write_text('time_format = "s"\n')
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_it_lists_files_and_folders(folder):
    assert Catalog(folder).names() == ["many", "ticks", "zipped"]


def test_a_description_says_how_to_read(folder):
    found = Catalog(folder).open("ticks").describe()
    assert found == ("ticks", ("quotes",), ("C:X",), SECOND, 2 * SECOND, 2, 1)


def test_bars_are_known_when_they_close(folder):
    found = Catalog(folder).open("zipped").describe()
    assert found == ("zipped", ("bars",), ("S:A",), 60 * SECOND, 120 * SECOND, 2, 0)


def test_the_files_of_a_folder_are_one_stream_in_the_order_of_their_names(folder):
    stream = Catalog(folder).open("many").instants()
    found = [
        (instant.time // SECOND, [row["symbol"] for piece in instant.pieces for row in piece])
        for instant in stream
    ]
    assert found == [(1, [b"S:a", b"S:b"]), (5, [b"S:a", b"S:b"])]


def test_a_file_that_changed_is_another_version(folder):
    catalog = Catalog(folder)
    before = catalog.open("ticks").versions
    assert catalog.open("ticks").versions == before
    with (folder / "ticks.csv").open("a") as file:
        file.write("4,1.5,1.6\n")
    assert catalog.open("ticks").versions != before
    assert catalog.open("ticks").describe().rows == 3


def test_what_is_told_goes_before_the_description(folder):
    dataset = open_dataset(folder / "ticks.csv", Reading(symbol="C:Y"))
    assert dataset.describe().symbols == ("C:Y",)


@pytest.fixture
def described(tmp_path):
    """Two files, each with a description of its own, and one for both."""
    two = tmp_path / "two"
    two.mkdir()
    (two / "eurusd.csv").write_text("1,1.5,1.6\n")
    (two / "eurusd.toml").write_text('symbol = "C:EURUSD"\n')
    (two / "btc.csv.gz").write_bytes(gzip.compress(b"2000,15,16\n"))
    (two / "btc.toml").write_text('symbol = "C:BTCUSD"\ntime_format = "ms"\n')
    (two / "dataset.toml").write_text('time_format = "s"\nkind = "quotes"\n')
    return two


def test_in_a_folder_each_file_has_its_own_description(described):
    """… which goes before the folder's, and what is told before both."""
    found = Catalog(described.parent).open("two").describe()
    assert found == ("two", ("quotes",), ("C:BTCUSD", "C:EURUSD"), SECOND, 2 * SECOND, 2, 0)
    assert open_dataset(described).describe() == found
    assert open_dataset(described, Reading(symbol="C:Y")).describe().symbols == ("C:Y",)


def test_a_catalog_read_as_one_folder(described):
    (described / "dataset.toml").unlink()
    assert Catalog(described).names() == ["btc", "eurusd"]
    assert open_dataset(described).describe().symbols == ("C:BTCUSD", "C:EURUSD")


def test_a_catalog_of_folders_is_no_data_set_but_says_which_are_in_it(described):
    with pytest.raises(FeedError, match=r"; there are data sets in it: two; name one, of --data "):
        open_dataset(described.parent)


def test_a_description_that_changed_is_another_version(described):
    catalog = Catalog(described.parent)
    before = catalog.open("two").versions
    (described / "btc.toml").write_text('symbol = "C:ETHUSD"\ntime_format = "ms"\n')
    assert catalog.open("two").versions != before
    assert catalog.open("two").describe().symbols == ("C:ETHUSD", "C:EURUSD")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("symbols = 1", "'symbols' is not known; allowed: kind, symbol"),
        ("symbol = 1", "symbol is 1; allowed: a string"),
        ("columns = 1", "columns is 1; allowed: a table"),
        ("columns = { bid = 1.0 }", "columns.bid is 1.0; allowed: the name of a column, or its"),
        ("columns = { bid = [1] }", "columns.bid is [1]; allowed: the name of a column, or its"),
        ("symbol", "ticks.toml: "),
        ('kind = "trades"', "kind 'trades' is not known"),
    ],
)
def test_a_bad_description_is_named(folder, text, why):
    (folder / "ticks.toml").write_text(text)
    with pytest.raises(FeedError) as caught:
        Catalog(folder).open("ticks")
    assert why in str(caught.value)


def test_what_is_not_there(folder):
    with pytest.raises(FeedError, match=r"there is no data set 'x' in .*; there are: many, ticks"):
        Catalog(folder).open("x")
    with pytest.raises(FeedError, match=r"data set 'empty' in .*: no file in it ends with"):
        Catalog(folder).open("empty")
    with pytest.raises(FeedError, match="no such folder"):
        Catalog(folder / "none")
    with pytest.raises(FeedError, match="no file in it ends with"):
        open_dataset(folder / "empty")
