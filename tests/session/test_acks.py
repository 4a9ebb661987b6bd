"""Ids, and the histogram of how long acks took."""

from __future__ import annotations

import pytest

from fastrouter.core.clock import Clock
from fastrouter.session.acks import BUCKETS, Acks, event_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("evt_0", 0),
        ("evt_42", 42),
        ("evt_18446744073709551615", (1 << 64) - 1),
        ("evt_", None),
        ("evt_-1", None),
        ("evt_1 ", None),
        ("evt_1\n", None),
        ("evt_٣", None),
        ("EVT_1", None),
        ("unknown", None),
        ("", None),
        ("evt_" + "9" * 5000, None),
    ],
)
def test_event_number(text, number):
    assert event_number(text) == number


@pytest.mark.parametrize(
    ("micros", "bucket"),
    [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1000, 10), (1 << 40, BUCKETS - 1), (-5, 0)],
)
def test_latency_buckets_are_powers_of_two(micros, bucket):
    timer = Clock(1 << 60)
    acks = Acks(lambda number: (1 << 60) - micros * 1000, timer)
    acks.note(["evt_1"])
    assert [n for n, count in enumerate(acks.latency) if count] == [bucket]


def test_what_is_not_known_is_counted():
    acks = Acks(lambda number: 1 if number == 7 else 0, Clock(1))
    acks.note(["evt_7", "evt_8", "unknown", "evt_99999999999999999999"])
    acks.note([])
    assert (acks.messages, acks.events, acks.unknown, sum(acks.latency)) == (2, 4, 3, 1)
