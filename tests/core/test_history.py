"""The closes that a topic remembers."""

from __future__ import annotations

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .market import quotes
from .peer import MINUTE, START, candle

MOST = 250


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(START), statistics=True, candles=("1s",))


def publish(router, minutes):
    """Closed candles whose close is their minute."""
    for minute in minutes:
        router.publish(candle("S:A", minute, time=START + minute * MINUTE))


def closes(router, until=None):
    found = router.closes("S:A", "1m", *([] if until is None else [START + until * MINUTE]))
    assert found.dtype == np.float64
    return found.tolist()


@pytest.mark.parametrize("count", [0, 1, 8, 9, 249, 250, 251, 1000])
def test_the_last_there_were(router, count):
    publish(router, range(count))
    assert closes(router) == list(range(max(0, count - MOST), count))


def test_until_a_time(router):
    publish(router, range(0, 1000, 2))
    assert closes(router, 700) == list(range(500, 702, 2))
    assert closes(router, 701) == list(range(500, 702, 2))
    assert closes(router, 499) == closes(router, -1) == []
    assert closes(router, 501) == [500]
    assert len(closes(router, 998)) == len(closes(router, 5000)) == MOST


def test_one_that_comes_again_replaces_what_it_was(router):
    publish(router, [1, 2, 3, 4, 5])
    publish(router, [4])
    assert closes(router) == [1, 2, 3, 4, 5]


def test_an_old_one_leaves_the_newer_as_they_are(router):
    publish(router, [1, 2, 4, 5])
    publish(router, [3])
    assert closes(router) == [1, 2, 4, 5]


@pytest.mark.parametrize("seed", range(5))
def test_any_order(router, seed):
    kept: list[int] = []
    for minute in np.random.default_rng(seed).integers(0, 600, 2000).tolist():
        minute = minute if minute % 7 else minute + len(kept)
        publish(router, [minute])
        if not kept or minute > kept[-1]:
            kept = [*kept, minute][-MOST:]
        assert closes(router) == kept
        assert closes(router, 300) == [one for one in kept if one <= 300]


def test_only_closed_ones(router):
    router.publish(candle("S:A", 1.0, closed=False))
    assert closes(router) == []


def test_built_ones_too(router):
    router.publish_batch(quotes(("S:A", 1, 1.0), ("S:A", 2, 2.0), ("S:A", 3, 3.0)))
    assert router.closes("S:A", "1s").tolist() == [1.0, 2.0]
    assert closes(router) == []


def test_what_it_returns_is_the_callers(router):
    publish(router, [1, 2])
    found = router.closes("S:A", "1m")
    publish(router, [3])
    assert found.tolist() == [1, 2]
    found[0] = 7
    assert closes(router) == [1, 2, 3]


def test_none_without_statistics():
    router = Router(clock=Clock(START))
    publish(router, [1])
    assert closes(router) == []


def test_an_unknown_timeframe(router):
    with pytest.raises(ValueError, match="'2m' is not known; allowed: 1s"):
        router.closes("S:A", "2m")
