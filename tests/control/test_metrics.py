"""The metrics' text, read back by the library's own parser."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fastrouter.control.metrics import Metrics, registry
from fastrouter.core.counters import REASONS, Counters, Histogram
from fastrouter.core.kinds import KINDS


def kinds(**counts: int) -> dict[str, int]:
    return dict.fromkeys(KINDS, 0) | counts


def reasons(**counts: int) -> dict[str, int]:
    return dict.fromkeys(REASONS, 0) | counts


COUNTERS = Counters(
    sessions=3,
    topics=5,
    waiting=6,
    events=kinds(quote=100, order=2),
    throttled=0,
    encoded=102,
    offered=kinds(quote=300, order=6),
    snapshots=1,
    replayed=2,
    conflated=kinds(quote=40),
    dropped=reasons(overflow=4),
    given_up=reasons(overflow=1),
    delivered=257,
    sends=50,
    sent_bytes=51_400,
    latency=Histogram([0, 1, 0, 48, 1], 300),
    batch=Histogram([0, 10, 40], 257),
    backlog_bytes=9000,
    backlog_most=8000,
)


def endpoint(**changes):
    values = {
        "by_dialect": Counter({"trading-api": 3}),
        "accepted": 4,
        "fed": True,
        "refusals": Counter({404: 2, 503: 1}),
        "unfinished": 5,
        "turned_away": 6,
        "rejections": Counter({"INVALID_MESSAGE": 7}),
        "closes": Counter({1000: 1, 4008: 1}),
        "acks": SimpleNamespace(messages=5, events=9, unknown=2, latency=[0, 0, 3, 4]),
    }
    return SimpleNamespace(**(values | changes))


def scrape(endpoints, **options) -> dict[str, dict[tuple, float]]:
    """Every sample by name, then by its labels' values."""
    metrics = Metrics(lambda: COUNTERS, endpoints, now=lambda: 10_000_000_000, **options)
    text = generate_latest(registry(metrics)).decode()
    samples: dict[str, dict[tuple, float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.name.startswith("fastrouter_")
        assert family.documentation
        for sample in family.samples:
            samples.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return samples


def test_what_the_core_counted():
    samples = scrape([endpoint()])
    assert samples["fastrouter_events_total"][("quote",)] == 100
    assert samples["fastrouter_offered_total"][("order",)] == 6
    assert samples["fastrouter_conflated_total"][("quote",)] == 40
    assert samples["fastrouter_dropped_total"][("overflow",)] == 4
    assert samples["fastrouter_given_up_total"][("overflow",)] == 1
    for name, value in {
        "snapshots_total": 1,
        "replayed_total": 2,
        "delivered_total": 257,
        "encoded_total": 102,
        "sends_total": 50,
        "sent_bytes_total": 51_400,
        "waiting_events": 6,
        "outbox_bytes": 9000,
        "outbox_largest_bytes": 8000,
        "topics": 5,
    }.items():
        assert samples[f"fastrouter_{name}"] == {(): value}


def test_histograms_are_cumulative_and_in_seconds():
    samples = scrape([endpoint()])
    latency = samples["fastrouter_publish_to_send_seconds_bucket"]
    assert [(float(bound), count) for (bound,), count in latency.items()] == [
        (0, 0), (pytest.approx(1e-6), 1), (pytest.approx(3e-6), 1), (pytest.approx(7e-6), 49),
        (math.inf, 50),
    ]  # fmt: skip
    assert samples["fastrouter_publish_to_send_seconds_count"] == {(): 50}
    assert samples["fastrouter_publish_to_send_seconds_sum"] == {(): pytest.approx(300e-6)}
    batch = samples["fastrouter_messages_per_send_bucket"]
    assert batch == {("0",): 0, ("1",): 10, ("+Inf",): 50}
    assert samples["fastrouter_messages_per_send_sum"] == {(): 257}


def test_endpoints_are_summed():
    other = endpoint(by_dialect={"dgbit": 2}, refusals=Counter({404: 1}))
    samples = scrape([endpoint(), other, endpoint()])
    assert samples["fastrouter_sessions"] == {("trading-api",): 6, ("dgbit",): 2}
    assert samples["fastrouter_handshakes_refused_total"] == {("404",): 5, ("503",): 2}
    assert samples["fastrouter_handshakes_unfinished_total"] == {(): 15}
    assert samples["fastrouter_connections_refused_total"] == {(): 18}
    assert samples["fastrouter_messages_rejected_total"] == {("INVALID_MESSAGE",): 21}
    assert samples["fastrouter_closes_total"] == {("1000",): 3, ("4008",): 3}
    assert samples["fastrouter_handshakes_total"] == {(): 12}
    assert samples["fastrouter_acks_total"] == {(): 15}
    assert samples["fastrouter_acked_events_total"] == {(): 27}
    assert samples["fastrouter_ack_unknown_total"] == {(): 6}
    latency = samples["fastrouter_ack_latency_seconds_bucket"]
    assert latency[("+Inf",)] == 21


def test_feed_lag_is_of_live_feeds_that_have_given_something():
    assert "fastrouter_feed_lag_seconds" not in scrape([endpoint()])
    assert "fastrouter_feed_lag_seconds" not in scrape([endpoint()], last_event=lambda: 0)
    samples = scrape([endpoint()], last_event=lambda: 7_500_000_000)
    assert samples["fastrouter_feed_lag_seconds"] == {(): 2.5}
    assert samples["fastrouter_feed_connected"] == {(): 1}
    assert scrape([endpoint(fed=False)])["fastrouter_feed_connected"] == {(): 0}


def test_nothing_is_read_before_a_scrape():
    def counters():
        raise AssertionError

    registry(Metrics(counters, [endpoint()], now=lambda: 0))


def test_without_endpoints():
    assert scrape([])["fastrouter_ack_latency_seconds_bucket"] == {("+Inf",): 0}


def test_the_journal():
    journal = SimpleNamespace(
        recorded=1,
        lost=2,
        write_errors=3,
        read_errors=4,
        replay_errors=5,
        replays=6,
        spool_bytes=7,
        tail_bytes=8,
        first_id=9,
        last_id=10,
    )
    samples = scrape([endpoint()], journal=lambda: journal)
    found = {
        name.removeprefix("fastrouter_journal_").removesuffix("_total"): value[()]
        for name, value in samples.items()
        if name.startswith("fastrouter_journal_")
    }
    assert found == vars(journal)
    assert not any("journal" in name for name in scrape([endpoint()]))


def test_stale_topics_are_counted_where_somebody_watches():
    assert scrape([endpoint()], stale=lambda: 3)["fastrouter_stale_topics"][()] == 3
    assert "fastrouter_stale_topics" not in scrape([endpoint()])
