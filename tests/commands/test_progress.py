"""How far a backtest is, in words."""

import io
import json
import sys

import pytest

from fastrouter.commands import progress
from fastrouter.commands.progress import PROGRESS, Bar, Json, Lines, Progress, progress_of

FIRST, LAST = 1_735_689_600_000_000_000, 1_735_689_700_000_000_000
MIDDLE = (FIRST + LAST) // 2


@pytest.fixture
def seconds(monkeypatch):
    """A clock that moves one second each time it is read."""
    ticks = iter(range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(ticks)))


def test_lines(seconds, capsys):
    lines = Lines()
    lines.begin(FIRST, LAST)
    lines.move(MIDDLE, 1000, 2)
    lines.end()
    said = capsys.readouterr()
    assert said.err == " 50%  2025-01-01T00:00:50  1000 events, 1,000 a second, 2 orders\n"
    assert said.out == ""


def test_json_lines(seconds, capsys):
    lines = Json()
    lines.move(MIDDLE, 10, 0)  # before it is known how long it will be
    lines.begin(FIRST, LAST)
    lines.move(LAST + 1, 30, 2)
    lines.end()
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["progress"] is None
    assert second == {
        "progress": 1.0,
        "time": "2025-01-01T00:01:40.000000Z",
        "events": 30,
        "events_per_second": 20,
        "orders": 2,
    }


def test_a_length_that_is_not_known(seconds, capsys):
    lines = Lines()
    lines.begin(0, 0)
    lines.move(MIDDLE, 1000, 2)
    assert capsys.readouterr().err.startswith("      2025-01-01T00:00:50  1000 events, ")


def test_a_bar(seconds, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert isinstance(PROGRESS["bar"](), Bar)
    bar = progress_of(None)
    bar.end()
    bar.move(FIRST, 0, 0)
    bar.begin(FIRST, LAST)
    bar.move(MIDDLE, 1000, 2)
    bar.write("[red] is no markup\n")
    assert bar.is_at(terminal)
    assert not bar.is_at(io.StringIO())
    bar.end()
    assert "2025-01-01T00:00:50" in terminal.getvalue()
    assert "1,000 events" in terminal.getvalue()
    assert "[red] is no markup" in terminal.getvalue()


def test_where_no_terminal_is():
    assert type(progress_of(None)) is Progress
    assert type(progress_of("bar")) is Lines
    assert type(progress_of("none")) is Progress
