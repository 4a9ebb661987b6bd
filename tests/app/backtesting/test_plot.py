"""The equity curve as files."""

import re
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fastrouter.app.backtesting.curve import curve_of
from fastrouter.app.backtesting.page import page
from fastrouter.app.backtesting.plot import check_plot, save_plot
from fastrouter.engine.equity import Point
from fastrouter.errors import ConfigError

START = 1_735_689_600
POINTS = [
    Point((START + minute * 60) * 10**9, Decimal(equity))
    for minute, equity in enumerate((100, 110, 99, 120, 90))
]
FIGURES = {"trades": "2, 50% of them won", "data": "<a & b>"}


def test_a_curve():
    times, equity, fall = curve_of(POINTS)
    assert times == [START + minute * 60 for minute in range(5)]
    assert equity == [100, 110, 99, 120, 90]
    assert fall == [0, 0, -10, 0, -25]
    assert curve_of([Point(0, Decimal(0))]).fall == [0]


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.html", b"<!doctype html>")]
)
@pytest.mark.parametrize("points", [POINTS, POINTS[:1]])
def test_files(tmp_path, name, begins, points):
    path = tmp_path / name
    check_plot(path)
    save_plot(path, "Backtest of <b>", FIGURES, points)
    assert path.read_bytes().startswith(begins)


def test_a_page_needs_nothing_else_and_draws_all():
    text = page("Backtest of <b>", FIGURES, curve_of(POINTS))
    assert "<h1>Backtest of &lt;b&gt;</h1>" in text
    assert "<td>&lt;a &amp; b&gt;</td>" in text
    assert not re.search(r"src=|href=|url\(|@import", text)
    above, below = (ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.S))
    assert above.find("path").get("d").count("H") == len(POINTS) - 1
    assert below.find("path").get("d").endswith("Z")
    shown = [one.text for one in above.findall("text")]
    assert shown[:4] == ["90", "100", "110", "120"]
    assert shown[4] == "2025-01-01 00:00"


@pytest.mark.parametrize(
    ("equity", "shown"),
    [
        ((1_000_000, 1_000_004), ["1,000,000", "1,000,001", "1,000,002", "1,000,003"]),
        ((100_000, Decimal("100000.4")), ["100,000", "100,000.1", "100,000.2", "100,000.3"]),
    ],
)
def test_what_stands_at_a_line_tells_it_from_the_next(equity, shown):
    points = [Point((START + minute) * 10**9, Decimal(one)) for minute, one in enumerate(equity)]
    svg = re.search(r"<svg.*?</svg>", page("a", {}, curve_of(points)), re.S)[0]
    above = ElementTree.fromstring(svg)
    assert [one.text for one in above.findall("text")][:4] == shown


def test_a_title_is_no_formula(tmp_path):
    path = tmp_path / "a.svg"
    save_plot(path, "Backtest of $x_{$", FIGURES, POINTS)
    assert "<!-- Backtest of $x_{$ -->" in path.read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.pdf", "allowed: a name that ends with .png, .svg, .html"),
        ("no/a.html", "there is no folder"),
    ],
)
def test_what_cannot_be_drawn(tmp_path: Path, name, said):
    with pytest.raises(ConfigError, match=said):
        check_plot(tmp_path / name)


def test_without_matplotlib_a_page_can_be(monkeypatch, tmp_path):
    monkeypatch.setattr("fastrouter.app.backtesting.plot.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'fastrouter\[plot\]', or name a .html"):
        check_plot(tmp_path / "a.png")
    check_plot(tmp_path / "a.html")
