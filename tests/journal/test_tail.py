"""The newest events in memory, against a plain list."""

import random

import pytest

from fastrouter.journal.tail import ENTRY_BYTES, STRETCH, Tail

from .events import entry, ids

COST = ENTRY_BYTES + 20


def filled(*numbers, room=100, start=0):
    tail = Tail(room * COST, start)
    for number in numbers:
        tail.append(entry(number))
    return tail


def test_an_empty_one():
    tail = filled(start=7)
    assert (tail.after, tail.last, tail.first, len(tail)) == (7, 7, 0, 0)
    assert tail.page(7, 1000) == []


def test_the_oldest_make_room():
    tail = filled(3, 5, 9, 11, room=3)
    assert (tail.after, tail.first, tail.last, len(tail)) == (3, 5, 11, 3)
    assert tail.bytes == 3 * COST


def test_an_entry_too_big_for_it_leaves_it_empty():
    tail = filled(3, 5, room=3)
    tail.append(entry(9, size=4 * COST))
    assert (tail.after, tail.first, tail.last, tail.bytes, len(tail)) == (9, 0, 9, 0, 0)


def test_pages():
    tail = filled(3, 5, 9, 11)
    assert ids(tail.page(0, 1000)) == [3, 5, 9, 11]
    assert ids(tail.page(5, 1000)) == [9, 11]
    assert ids(tail.page(4, 1)) == [5]
    assert ids(tail.page(4, 21)) == [5, 9]
    assert tail.page(11, 1000) == []


def test_what_is_nowhere_else_stays_within_reason():
    tail = filled(room=3)
    tail.kept_to = 0
    for number in range(1, 3 * STRETCH + 1):
        tail.append(entry(number))
    assert (tail.after, len(tail)) == (0, 3 * STRETCH)
    tail.append(entry(100))
    assert tail.after == 1
    tail.kept_to = 5
    tail.append(entry(101))
    assert tail.after == 5
    tail.kept_to = 99
    tail.append(entry(102))
    assert ids(tail.page(tail.after, 1000)) == [100, 101, 102]


@pytest.mark.parametrize("seed", range(3))
def test_long_runs_agree_with_a_list(seed):
    rng = random.Random(seed)
    tail, plain, number = Tail(200 * COST), [], 0
    for _ in range(20_000):
        number += rng.randrange(1, 5)
        tail.append(entry(number))
        plain = [*plain, number][-200:]
        if rng.random() < 0.01:
            assert ids(tail.page(tail.after, 1 << 20)) == plain
            after = rng.choice(plain)
            assert ids(tail.page(after, 40)) == [n for n in plain if n > after][:3]
    assert len(tail._entries) < 10_000
