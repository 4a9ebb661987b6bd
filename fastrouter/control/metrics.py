"""Prometheus metrics: the core's counters and the servers', read when somebody scrapes.

===========================================  ======================================================
``fastrouter_sessions{dialect}``             open sessions
``fastrouter_topics``                        topics seen or subscribed to
``fastrouter_events_total{kind}``            published
``fastrouter_offered_total{kind}``           put before sessions: one an event and matched session
``fastrouter_snapshots_total``               last values owed to new subscriptions
``fastrouter_replayed_total``                recorded events brought to sessions that resumed
``fastrouter_delivered_total``               events handed to the kernel or to TLS
``fastrouter_encoded_total``                 frames: one an event and dialect that listens
``fastrouter_conflated_total{kind}``         replaced by a newer one of their topic
``fastrouter_dropped_total{reason}``         will never be sent
``fastrouter_given_up_total{reason}``        sessions over a bound, or broken
``fastrouter_sends_total``                   writes to sessions
``fastrouter_sent_bytes_total``              what was in them
``fastrouter_messages_per_send``             histogram
``fastrouter_publish_to_send_seconds``       histogram: the oldest event of each send
``fastrouter_waiting_events``                that wait to be sent, in all
``fastrouter_outbox_bytes``                  held for single sessions, in all
``fastrouter_outbox_largest_bytes``          … and for the one that holds most
``fastrouter_journal_recorded_total``        events that the journal was given
``fastrouter_journal_lost_total``            … that its file had no room for
``fastrouter_journal_write_errors_total``    rounds of its writer that failed and are repeated
``fastrouter_journal_read_errors_total``     pages of its file that could not be read
``fastrouter_journal_replay_errors_total``   sessions closed because their replay raised
``fastrouter_journal_replays``               sessions that are brought up to date now
``fastrouter_journal_spool_bytes``           that are in the spool and not yet in the file
``fastrouter_journal_tail_bytes``            memory for the newest events
``fastrouter_journal_first_id``              oldest event it keeps, 0: none is
``fastrouter_journal_last_id``               newest event
``fastrouter_feed_connected``                0 while the feed is lost
``fastrouter_feed_lag_seconds``              live feeds: now minus the time of the last event
``fastrouter_stale_topics``                  quote topics that are silent for too long
``fastrouter_handshakes_total``              that became a session
``fastrouter_handshakes_refused_total``      ``{status}``: HTTP
``fastrouter_handshakes_unfinished_total``   connections lost before their request was whole
``fastrouter_connections_refused_total``     cut at once: too many from their address
``fastrouter_messages_rejected_total``       ``{code}``: of clients
``fastrouter_closes_total{code}``            what we closed sessions with; 1006: the line was cut
``fastrouter_acks_total``                    ``event_ack`` messages
``fastrouter_acked_events_total``            the events they named
``fastrouter_ack_unknown_total``             … of those we know nothing (any more)
``fastrouter_ack_latency_seconds``           histogram: from publish to ack
===========================================  ======================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from fastrouter.core.counters import Counters, Histogram

__all__ = ["Metrics", "registry"]

MICROSECOND = 1e-6


class Acks(Protocol):
    """What clients acknowledged, at one endpoint; `latency` by bits of the µs."""

    @property
    def messages(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def latency(self) -> list[int]: ...


class Endpoint(Protocol):
    """The side of a server that is measured."""

    @property
    def by_dialect(self) -> Mapping[str, int]: ...
    @property
    def accepted(self) -> int: ...
    @property
    def fed(self) -> bool: ...
    @property
    def refusals(self) -> Counter[int]: ...
    @property
    def unfinished(self) -> int: ...
    @property
    def turned_away(self) -> int: ...
    @property
    def rejections(self) -> Counter[str]: ...
    @property
    def closes(self) -> Counter[int]: ...
    @property
    def acks(self) -> Acks: ...


class Journal(Protocol):
    """What a journal has counted: `fastrouter.journal.counters.Counters`."""

    @property
    def recorded(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def write_errors(self) -> int: ...
    @property
    def read_errors(self) -> int: ...
    @property
    def replay_errors(self) -> int: ...
    @property
    def replays(self) -> int: ...
    @property
    def spool_bytes(self) -> int: ...
    @property
    def tail_bytes(self) -> int: ...
    @property
    def first_id(self) -> int: ...
    @property
    def last_id(self) -> int: ...


class Metrics(Collector):
    """Collects nothing by itself: a scrape reads `counters`, `journal` and the endpoints.

    `last_event` is the time of the last event (Unix ns, 0: none yet) of a live
    feed; None when events are not of today. `stale` counts silent topics. `now` is Unix time in ns.
    """

    def __init__(
        self,
        counters: Callable[[], Counters],
        endpoints: Sequence[Endpoint],
        *,
        journal: Callable[[], Journal] | None = None,
        last_event: Callable[[], int] | None = None,
        stale: Callable[[], int] | None = None,
        now: Callable[[], int],
    ) -> None:
        self._counters = counters
        self._endpoints = endpoints
        self._journal = journal
        self._last_event = last_event
        self._stale = stale
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the counters."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        counters = self._counters()
        yield from _events(counters)
        yield from _sends(counters)
        if self._journal is not None:
            yield from _journal(self._journal())
        yield from self._feed()
        yield from self._sessions()
        yield from self._clients()

    def _feed(self) -> Iterator[Metric]:
        connected = all(endpoint.fed for endpoint in self._endpoints)
        yield _gauge("feed_connected", "Whether there is a feed upstream.", connected)
        last = self._last_event() if self._last_event is not None else 0
        if last:
            lag = (self._now() - last) / 1e9
            yield _gauge("feed_lag_seconds", "Now minus the time of the last event.", lag)
        if self._stale is not None:
            yield _gauge("stale_topics", "Quote topics silent for too long.", self._stale())

    def _sessions(self) -> Iterator[Metric]:
        open_now: Counter[str] = Counter()
        for endpoint in self._endpoints:
            open_now.update(endpoint.by_dialect)
        family = GaugeMetricFamily("fastrouter_sessions", "Open sessions.", labels=["dialect"])
        for dialect, count in open_now.items():
            family.add_metric([dialect], count)
        yield family
        accepted = sum(endpoint.accepted for endpoint in self._endpoints)
        yield _counter("handshakes", "Handshakes that became a session.", accepted)

    def _clients(self) -> Iterator[Metric]:
        every = self._endpoints
        refusals = _summed(endpoint.refusals for endpoint in every)
        rejections = _summed(endpoint.rejections for endpoint in every)
        closes = _summed(endpoint.closes for endpoint in every)
        yield _counters("handshakes_refused", "Handshakes refused.", "status", refusals)
        unfinished = sum(endpoint.unfinished for endpoint in every)
        turned_away = sum(endpoint.turned_away for endpoint in every)
        yield _counter("handshakes_unfinished", "Handshakes never finished.", unfinished)
        yield _counter("connections_refused", "Connections cut at once.", turned_away)
        yield _counters("messages_rejected", "Client messages rejected.", "code", rejections)
        yield _counters("closes", "Sessions ended.", "code", closes)
        acks = [endpoint.acks for endpoint in every]
        yield _counter("acks", "event_ack messages.", sum(one.messages for one in acks))
        yield _counter("acked_events", "Events in them.", sum(one.events for one in acks))
        yield _counter("ack_unknown", "… that are not known.", sum(one.unknown for one in acks))
        buckets = [sum(counts) for counts in zip(*(one.latency for one in acks), strict=True)]
        yield _histogram("ack_latency_seconds", "From publish to ack.", buckets, MICROSECOND)


def registry(metrics: Metrics) -> CollectorRegistry:
    """A registry of ours alone: nothing of the process's own."""
    found = CollectorRegistry(auto_describe=False)
    found.register(metrics)
    return found


# ------------------------------------------------------------------------ the core


def _events(counters: Counters) -> Iterator[Metric]:
    yield _gauge("topics", "Topics seen or subscribed to.", counters.topics)
    yield _counters("events", "Events published.", "kind", counters.events)
    yield _counters("offered", "Events put before sessions.", "kind", counters.offered)
    yield _counter("snapshots", "Last values owed to new subscriptions.", counters.snapshots)
    yield _counter("replayed", "Recorded events brought to sessions.", counters.replayed)
    yield _counter("delivered", "Events handed to sinks.", counters.delivered)
    yield _counter("encoded", "Frames encoded.", counters.encoded)
    yield _counters("conflated", "Events replaced by newer ones.", "kind", counters.conflated)
    yield _counters("dropped", "Events never to be sent.", "reason", counters.dropped)
    yield _counters("given_up", "Sessions given up.", "reason", counters.given_up)


def _sends(counters: Counters) -> Iterator[Metric]:
    yield _counter("sends", "Writes to sessions.", counters.sends)
    yield _counter("sent_bytes", "Bytes handed to sinks.", counters.sent_bytes)
    yield _histogram_of("messages_per_send", "Events of each send.", counters.batch, 1)
    yield _histogram_of(
        "publish_to_send_seconds",
        "From publish to send, of the oldest event of each send.",
        counters.latency,
        MICROSECOND,
    )
    yield _gauge("waiting_events", "Events that wait to be sent.", counters.waiting)
    yield _gauge("outbox_bytes", "Bytes held for single sessions.", counters.backlog_bytes)
    yield _gauge("outbox_largest_bytes", "… for the one that holds most.", counters.backlog_most)


def _journal(journal: Journal) -> Iterator[Metric]:
    yield _counter("journal_recorded", "Events the journal was given.", journal.recorded)
    yield _counter("journal_lost", "Events its file had no room for.", journal.lost)
    yield _counter("journal_write_errors", "Writes that failed.", journal.write_errors)
    yield _counter("journal_read_errors", "Reads that failed.", journal.read_errors)
    yield _counter("journal_replay_errors", "Replays that failed.", journal.replay_errors)
    yield _gauge("journal_replays", "Replays under way.", journal.replays)
    yield _gauge("journal_spool_bytes", "Spooled, not stored.", journal.spool_bytes)
    yield _gauge("journal_tail_bytes", "Memory for the newest events.", journal.tail_bytes)
    yield _gauge("journal_first_id", "Oldest event that is kept.", journal.first_id)
    yield _gauge("journal_last_id", "Newest event.", journal.last_id)


# ------------------------------------------------------------------------ families


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fastrouter_{name}", text, value=value)


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"fastrouter_{name}", text, value=value)


def _counters(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"fastrouter_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram_of(name: str, text: str, histogram: Histogram, unit: float) -> Metric:
    return _histogram(name, text, histogram.buckets, unit, histogram.sum * unit)


def _histogram(
    name: str, text: str, counts: Sequence[int], unit: float, total: float | None = None
) -> Metric:
    """A histogram of values in `unit`, counted by their bits; the last bucket is all above."""
    buckets, so_far = [], 0
    for bits, count in enumerate(counts):
        so_far += count
        above = bits == len(counts) - 1
        bound = "+Inf" if above else f"{Histogram.largest(bits) * unit:.9g}"
        buckets.append((bound, float(so_far)))
    family = HistogramMetricFamily(f"fastrouter_{name}", text)
    family.add_metric([], buckets or [("+Inf", 0.0)], total)
    return family


def _summed(counters: Iterable[Counter[int]] | Iterable[Counter[str]]) -> dict[str, int]:
    """The counters of all endpoints, by their keys as text."""
    summed: Counter[str] = Counter()
    for counter in counters:
        for key, value in counter.items():
            summed[str(int(key) if isinstance(key, int) else key)] += value
    return summed
