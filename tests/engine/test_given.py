"""Data that is named file by file, and what is known of it before it is read."""

import pytest

from fastrouter.engine import contents
from fastrouter.engine.contents import extent, look
from fastrouter.engine.given import Given, Told, given
from fastrouter.engine.track import EVERYTHING, Reading, Span
from fastrouter.errors import FeedError

from .peer import SECOND, START

QUOTES = """time,symbol,bid,ask
2025-01-01T00:00:00Z,S:B,9,10
2025-01-01T00:00:05Z,S:A,x,10
2025-01-01T00:00:10Z,S:A,9,10
"""
BARS = """time,symbol,timeframe,open,high,low,close,volume
2025-01-01T00:00:00Z,S:A,1m,10,11,9,10.5,1
2025-01-01T00:00:00Z,S:A,5m,10,11,9,10.5,1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "quotes.csv").write_text(QUOTES)
    (tmp_path / "bars.csv").write_text(BARS)
    return tmp_path


def test_files_a_folder_and_a_name(folder):
    assert given([str(folder / "bars.csv")]).name == "bars"
    several = given([str(folder / name) for name in ("quotes.csv", "bars.csv")])
    assert several.name == "quotes+bars"
    assert [path.name for path in several.files] == ["quotes.csv", "bars.csv"]
    assert given(["bars"], folder).name == "bars"
    (folder / "bars.csv").rename(folder / "other.csv")
    (folder / "other.csv").write_text(QUOTES)
    whole = given([str(folder)])
    assert (whole.name, len(whole.tracks)) == (folder.name, 2)


@pytest.mark.parametrize(
    ("names", "said"), [(["no.csv"], "no.csv: no such file"), (["quotes", "no"], "quotes: no such")]
)
def test_what_is_not_there(folder, names, said):
    with pytest.raises(FeedError, match=said):
        given(names, folder if len(names) > 1 else None)
    with pytest.raises(FeedError, match="there are: bars, quotes"):
        given(["no"], folder)


def test_a_catalog_of_it(folder):
    dataset = given([str(folder / "quotes.csv")])
    catalog = Given(dataset)
    assert catalog.names() == ["quotes"]
    assert catalog.open("quotes") is dataset
    assert catalog.open("quotes").describe().rows == 2
    with pytest.raises(FeedError, match="there is: quotes"):
        catalog.open("other")


def test_who_is_told_of_bad_rows(folder):
    told, counted = [], []
    dataset = Told(given([str(folder / "quotes.csv")]), lambda *row: told.append(row))
    rows = sum(
        len(one.times) for one in dataset.stretches(EVERYTHING, lambda *r: counted.append(r))
    )
    assert rows == 2
    assert told == counted
    assert [(path.name, number) for path, number, _ in told] == [("quotes.csv", 3)]


def test_what_it_holds(folder, monkeypatch):
    dataset = given([str(folder / name) for name in ("quotes.csv", "bars.csv")])
    found = look(dataset, EVERYTHING)
    assert set(found.kinds) == {"quotes", "bars"}
    assert set(found.symbols) == {"S:A", "S:B"}
    assert found.timeframes == ("1m", "5m")
    assert extent(dataset, EVERYTHING) == (START, START + 300 * SECOND)
    part = Span(START + SECOND, START + 60 * SECOND)
    assert extent(dataset, part) == (START + 10 * SECOND, START + 10 * SECOND)
    assert extent(dataset, Span(0, 1)) == (0, 0)
    monkeypatch.setattr(contents, "QUICK", 1)  # of what is long it is not looked up
    assert extent(dataset, part) == (START + SECOND, START + 60 * SECOND)
    assert extent(dataset, EVERYTHING) is None
    assert look(dataset, Span(0, 1)).symbols == ()
    with pytest.raises(FeedError, match="symbol"):
        given([str(folder / "quotes.csv")], reading=Reading(columns={"symbol": "none"}))
