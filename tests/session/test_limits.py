"""The meter against a slow oracle, and the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastrouter.session.limits import RATE_LIMITS, Meter, RateLimit, Verdict, rate_limit

SECOND = 1_000_000_000


def test_every_dialect_of_the_wire_contract_has_a_row():
    assert set(RATE_LIMITS) == {"trading-api", "orchestrator", "dgbit", "botcore", "botcore-ai"}
    assert {row.messages for row in RATE_LIMITS.values()} == {100}


def test_another_dialect_and_another_number():
    assert rate_limit("klingon") == RATE_LIMITS["trading-api"]
    assert rate_limit("botcore", 5) == RATE_LIMITS["botcore"]._replace(messages=5)


@given(st.lists(st.integers(0, 3 * SECOND), max_size=60))
def test_beyond_is_more_than_the_limit_in_the_window(gaps):
    meter, now, times = Meter(RateLimit(messages=5, seconds=4)), 0, []
    for gap in gaps:
        now += gap
        times.append(now)
        inside = sum(now - time < 4 * SECOND for time in times)
        assert (meter.note("x", now) is Verdict.BEYOND) == (inside > 5)


def test_warned_once_a_window():
    meter = Meter(RateLimit(messages=10, seconds=60))
    verdicts = [meter.note("x", now * 6 * SECOND) for now in range(40)]  # ten in each window
    warned = [n for n, verdict in enumerate(verdicts) if verdict is Verdict.WARN]
    assert warned == [7, 17, 27, 37]
    assert Verdict.BEYOND not in verdicts


def test_what_is_free_does_not_count():
    meter = Meter(RateLimit(messages=1))
    assert {meter.note(kind, 0) for kind in ("pong", "event_ack") for _ in range(99)} == {
        Verdict.FINE
    }
    assert meter.note("x", 0) is Verdict.WARN
    assert meter.note(None, 0) is Verdict.BEYOND


def test_none_is_no_limit():
    meter = Meter(RateLimit(messages=0))
    assert {meter.note("x", 0) for _ in range(1000)} == {Verdict.FINE}


@pytest.mark.parametrize(("gap", "verdict"), [(24.9, Verdict.WARN), (25.0, Verdict.FINE)])
def test_ping_once_in_30_seconds_less_5(gap, verdict):
    meter = Meter(rate_limit("botcore", 0))
    assert meter.note("Ping", SECOND) is Verdict.FINE
    assert meter.note("Ping", SECOND + int(gap * SECOND)) is verdict
    if verdict is Verdict.WARN:
        assert str(meter.usage) == "2 Ping in 30 s; allowed: 1"


@pytest.mark.parametrize(
    ("times", "verdicts"),
    [
        ((0, 10, 20), "fine warn beyond"),
        ((0, 20, 40, 60), "fine warn beyond beyond"),
        ((0, 24, 49, 79), "fine warn fine fine"),
        ((0, 10, 40, 69, 80), "fine warn fine fine warn"),  # a minute after the warning
        ((0, 10, 40, 69, 69), "fine warn fine fine beyond"),
    ],
)
def test_too_soon_is_a_warning_and_twice_in_a_minute_beyond(times, verdicts):
    meter = Meter(rate_limit("botcore"))
    assert " ".join(meter.note("Ping", n * SECOND).value for n in times) == verdicts


def test_pings_count_as_messages_too():
    meter = Meter(RateLimit(messages=2, spacing={"Ping": 1.0}, tolerance=0.0))
    verdicts = [meter.note("Ping", n * SECOND) for n in range(3)]
    assert verdicts == [Verdict.FINE, Verdict.WARN, Verdict.BEYOND]
    assert str(meter.usage) == "3 messages in 60 s; allowed: 2"


def test_what_is_spaced_does_not_space_the_rest():
    meter = Meter(rate_limit("botcore"))
    assert {meter.note(kind, 0) for kind in ("Ping", "subscribe", None, "pong")} == {Verdict.FINE}
