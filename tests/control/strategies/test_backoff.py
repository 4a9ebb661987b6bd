from __future__ import annotations

import random

from fastrouter.control.strategies.backoff import Backoff
from fastrouter.control.strategies.spec import Restarts


def test_twice_as_long_each_time_up_to_the_longest_then_no_more():
    backoff = Backoff(Restarts(6, 1.0, 10.0, 100.0))
    assert [backoff.crashed(0.0) for _ in range(8)] == [1, 2, 4, 8, 10, 10, None, None]
    assert backoff.crashed(100.0) == 1, "those are out of the window"


def test_none_at_all():
    assert Backoff(Restarts(0)).crashed(5.0) is None


def test_a_great_many():
    backoff = Backoff(Restarts(5000, 0.001, 60.0, 1e9))
    assert [backoff.crashed(0.0) for _ in range(5000)][-1] == 60


def test_against_a_list_of_all_crashes():
    rng = random.Random(7)
    restarts = Restarts(4, 0.5, 3.0, 10.0)
    backoff, granted, now = Backoff(restarts), [], 0.0
    for _ in range(2000):
        now += rng.choice([0, 0.5, 3, 11])
        recent = [then for then in granted if then > now - restarts.window]
        expected = None
        if len(recent) < restarts.most:
            expected = min(0.5 * 2 ** len(recent), 3.0)
            granted.append(now)
        assert backoff.crashed(now) == expected
