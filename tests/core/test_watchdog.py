"""Topics that fall silent are reported once, and once more when they are back."""

from __future__ import annotations

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import QUOTE_DTYPE
from fastrouter.core.router import Router
from fastrouter.core.watchdog import Watchdog
from fastrouter.errors import EventError

from .peer import SECOND, START, candle, quote


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(START))


@pytest.fixture
def watchdog(router: Router) -> Watchdog:
    return Watchdog(router, 10 * SECOND)


def test_stale_once_then_back_once(router, watchdog):
    router.publish(quote("S:A"))
    assert watchdog.scan(0) == ([], [])
    assert watchdog.scan(9 * SECOND) == ([], [])
    assert watchdog.scan(10 * SECOND) == ([("S:A", "quote", 10 * SECOND)], [])
    assert watchdog.scan(60 * SECOND) == ([], [])
    router.publish(quote("S:A"))
    assert watchdog.scan(61 * SECOND) == ([], [("S:A", "quote", 61 * SECOND)])
    assert watchdog.scan(62 * SECOND) == ([], [])
    assert watchdog.scan(71 * SECOND) == ([("S:A", "quote", 10 * SECOND)], [])


def test_an_equal_value_published_again_is_life(router, watchdog):
    for second in range(30):
        router.publish(quote("S:A"))
        assert watchdog.scan(second * SECOND) == ([], [])


def test_each_topic_for_itself(router, watchdog):
    for second in range(20):
        if second < 5:
            router.publish(quote("S:A"))
        if second >= 8:
            router.publish(quote("S:B"))
        found = watchdog.scan(second * SECOND)
        assert found == (([("S:A", "quote", 10 * SECOND)], []) if second == 14 else ([], []))


def test_only_quotes_are_watched(router, watchdog):
    router.publish(candle("S:A"))
    router.publish("order", {"symbol": "S:A"})
    watchdog.scan(0)
    assert watchdog.scan(3600 * SECOND) == ([], [])


def test_a_topic_without_a_value_is_not_silent(router, watchdog):
    rows = np.zeros(2, QUOTE_DTYPE)
    rows["symbol"] = ["S:A", "S B"]
    with pytest.raises(EventError):
        router.publish_batch(rows)  # S:A is known from here on, but has no value
    watchdog.scan(0)
    assert watchdog.scan(3600 * SECOND) == ([], [])
    router.publish(quote("S:A"))
    assert watchdog.scan(3601 * SECOND) == ([], [])
    assert watchdog.scan(3611 * SECOND) == ([("S:A", "quote", 10 * SECOND)], [])


@pytest.mark.parametrize("silence", [0, -1])
def test_a_silence_that_is_none(router, silence):
    with pytest.raises(ValueError, match="allowed: from 1"):
        Watchdog(router, silence)


def test_what_is_stale_now(router, watchdog):
    router.publish(quote("S:A"))
    router.publish(quote("S:B"))
    assert (watchdog.stale, watchdog.silent(0)) == (0, [])
    watchdog.scan(0)
    watchdog.scan(10 * SECOND)
    assert watchdog.stale == 2
    router.publish(quote("S:A"))
    watchdog.scan(12 * SECOND)
    assert (watchdog.stale, watchdog.silent(13 * SECOND)) == (1, [("S:B", "quote", 13 * SECOND)])
