"""Data that was read lately."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fastrouter.engine.memory import MOST_BAD, Memory
from fastrouter.engine.merge import Stretch, stretches
from fastrouter.engine.track import BadRow, Block

from .peer import quotes

ROWS = quotes((0, "S:A"), (1, "S:B"))
SIZE = ROWS.nbytes + 16


class File:
    """Counts how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, on_bad: BadRow) -> Iterator[Stretch]:
        self.reads += 1
        on_bad(Path("a.csv"), 3, "why")
        yield from stretches([[Block(ROWS["time"].copy(), ROWS)]])


def test_what_was_read_to_its_end_is_not_read_again():
    memory, file, bad = Memory(), File(), []
    first = list(memory.stretches("a", file.read, lambda *row: bad.append(row)))
    again = list(memory.stretches("a", file.read, lambda *row: bad.append(row)))
    assert file.reads == 1
    assert [one.parts[0].tolist() for one in again] == [one.parts[0].tolist() for one in first]
    assert bad == [(Path("a.csv"), 3, "why")] * 2


def test_what_was_left_half_way_is_read_again():
    memory, file = Memory(), File()
    next(memory.stretches("a", file.read))
    list(memory.stretches("a", file.read))
    assert file.reads == 2


def test_it_keeps_no_more_than_it_may_and_the_newest():
    memory = Memory(2 * SIZE)
    files = {name: File() for name in "abc"}
    for name in "abacab":
        list(memory.stretches(name, files[name].read))
    assert {name: file.reads for name, file in files.items()} == {"a": 1, "b": 2, "c": 1}


def test_what_is_larger_is_not_kept():
    memory, file = Memory(SIZE - 1), File()
    for _ in range(2):
        assert sum(len(one.times) for one in memory.stretches("a", file.read)) == 2
    assert file.reads == 2


def test_what_is_known_to_be_too_large_is_not_kept():
    memory, file = Memory(10_000), File()
    for _ in range(2):
        list(memory.stretches("a", file.read, size=10_001))
    assert file.reads == 2


def test_what_has_too_many_bad_rows_is_not_kept():
    """They are memory, too; each is told of all the same."""
    memory, reads, bad = Memory(), [], []

    def read(on_bad: BadRow) -> Iterator[Stretch]:
        reads.append(1)
        for number in range(MOST_BAD + 1):
            on_bad(Path("a.csv"), number, "why")
        yield from stretches([[Block(ROWS["time"].copy(), ROWS)]])

    for _ in range(2):
        list(memory.stretches("a", read, lambda *row: bad.append(row)))
    assert len(reads) == 2
    assert len(bad) == 2 * (MOST_BAD + 1)
