"""A run's data as threads read it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastrouter.engine import stream as stream_module
from fastrouter.engine.merge import Stretch, stretches
from fastrouter.engine.stream import BadRows, Stream
from fastrouter.engine.track import Block
from fastrouter.errors import FeedError

from .peer import new_run, quotes

ROWS = quotes((0, "S:A"), (1, "S:B"))


class File:
    """Two stretches, and what was done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def read(self) -> Iterator[Stretch]:
        self.done.append("open")
        try:
            for _ in range(2):
                yield from stretches([[Block(ROWS["time"].copy(), ROWS)]])
        finally:
            self.done.append("closed")


def test_it_is_opened_by_who_takes_first_and_ends():
    file = File()
    stream = Stream(file.read)
    assert file.done == []
    while stream.take() is not None:
        pass
    assert stream.take() is None
    stream.close()
    assert file.done == ["open", "closed"]


def test_what_is_left_half_way_is_closed_at_once():
    file = File()
    stream = Stream(file.read)
    assert stream.take() is not None
    stream.close()
    assert file.done == ["open", "closed"]
    assert stream.take() is None
    stream.close()


def test_what_was_never_opened_is_not_when_it_is_closed():
    file = File()
    stream = Stream(file.read)
    stream.close()
    assert stream.take() is None
    assert file.done == []


def test_who_closes_waits_for_who_takes():
    reading, may_go_on = threading.Event(), threading.Event()
    done = []

    def read() -> Iterator[Stretch]:
        try:
            reading.set()
            assert may_go_on.wait(10)
            yield from stretches([[Block(ROWS["time"].copy(), ROWS)]])
        finally:
            done.append("closed")

    stream = Stream(read)
    taking = threading.Thread(target=stream.take)
    taking.start()
    assert reading.wait(10)
    closing = threading.Thread(target=stream.close)
    closing.start()
    assert done == []
    may_go_on.set()
    taking.join(10)
    closing.join(10)
    assert done == ["closed"]


def test_an_error_is_told_to_who_takes():
    def read() -> Iterator[Stretch]:
        raise FeedError("no such file")

    with pytest.raises(FeedError, match="no such file"):
        Stream(read).take()


@pytest.mark.parametrize(("count", "named"), [(0, 0), (3, 3), (10, 10), (12, 10)])
def test_the_first_bad_rows_are_named_and_all_are_counted(caplog, count, named):
    run = new_run()
    bad = BadRows(run, logging.getLogger("fastrouter.engine"))
    with caplog.at_level("WARNING", "fastrouter.engine"):
        for number in range(count):
            bad(Path("a.csv"), number + 2, "bid is 'x'")
        bad.end()
    said = [record.getMessage() for record in caplog.records]
    assert run.bad_rows == count
    assert said[:named] == [
        f"run run_1: a.csv: line {number + 2} is left out: bid is 'x'" for number in range(named)
    ]
    assert said[named:] == (["run run_1: 12 bad rows in all"] if count > named else [])


def test_rows_of_parquet_are_counted_as_rows_and_without_a_log_nothing_is_said(caplog):
    run = new_run()
    with caplog.at_level("WARNING", "fastrouter.engine"):
        BadRows(run, logging.getLogger("fastrouter.engine"))(Path("a.parquet"), 1, "why")
        BadRows(run, None)(Path("a.parquet"), 2, "why")
    assert [one.getMessage() for one in caplog.records] == [
        "run run_1: a.parquet: row 1 is left out: why"
    ]
    assert run.bad_rows == 2


@pytest.mark.parametrize(("much", "trimmed"), [(1, True), (1 << 30, False)])
def test_free_memory_is_given_back_after_much_was_read(monkeypatch, much, trimmed):
    calls = []
    usual = stream_module._trim
    monkeypatch.setattr(stream_module, "MUCH", much)
    monkeypatch.setattr(stream_module, "_trim", lambda: calls.append(usual()))
    stream = Stream(File().read)
    assert stream.take() is not None
    stream.close()
    assert bool(calls) is trimmed
