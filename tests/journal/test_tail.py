"""The newest events in memory, against a plain list."""

import random

import pytest

from fastrouter.journal.tail import Tail

from .events import entry, ids, packed

COST = len(packed(entry(1)))
LEAST_CHUNK = 1 << 10


def add(tail, *numbers, size=20):
    for number in numbers:
        tail.append(packed(entry(number, size)))


def filled(*numbers, start=0, max_bytes=1 << 20, size=20):
    tail = Tail(max_bytes, start)
    add(tail, *numbers, size=size)
    return tail


def test_an_empty_one():
    tail = filled(start=7)
    assert (tail.after, tail.last, tail.first, len(tail), tail.size) == (7, 7, 0, 0, 0)
    assert tail.page(7, 1000) == []


def test_the_oldest_make_room():
    tail = filled(*range(1, 101), max_bytes=3 * LEAST_CHUNK)
    fit = LEAST_CHUNK // COST
    assert tail.size == 3 * LEAST_CHUNK
    assert 2 * fit < len(tail) <= 3 * fit
    assert (tail.after, tail.first, tail.last) == (100 - len(tail), 101 - len(tail), 100)


def test_an_event_too_big_for_it_is_held_alone():
    tail = filled(3, 5, max_bytes=3 * LEAST_CHUNK)
    add(tail, 9, size=4 * LEAST_CHUNK)
    assert (tail.after, tail.first, tail.last, len(tail)) == (5, 9, 9, 1)
    add(tail, 11)
    assert (tail.after, len(tail), tail.size) == (9, 1, LEAST_CHUNK)


def test_pages():
    tail = filled(3, 5, 9, 11)
    assert ids(tail.page(0, 1000)) == [3, 5, 9, 11]
    assert ids(tail.page(5, 1000)) == [9, 11]
    assert ids(tail.page(4, 1)) == [5]
    assert ids(tail.page(4, 21)) == [5, 9]
    assert tail.page(11, 1000) == []


@pytest.mark.parametrize("seed", range(3))
def test_long_runs_agree_with_a_list(seed):
    rng = random.Random(seed)
    tail, plain, number = Tail(64 * LEAST_CHUNK), [], 0
    for _ in range(20_000):
        number += rng.randrange(1, 5)
        add(tail, number, size=rng.randrange(20, 400))
        plain.append(number)
        if rng.random() < 0.01:
            plain = [n for n in plain if n > tail.after]
            assert ids(tail.page(tail.after, 1 << 20)) == plain
            assert (tail.first, tail.last, len(tail)) == (plain[0], number, len(plain))
            assert tail.size <= tail.max_bytes
            after = rng.choice(plain[:-1])
            assert ids(tail.page(after, 1)) == [n for n in plain if n > after][:1]
