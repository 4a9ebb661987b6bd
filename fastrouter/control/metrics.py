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
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from fastrouter.control.families import MICROSECOND, counter, counters, gauge, gauges, histogram
from fastrouter.core.counters import Counters, Histogram

__all__ = ["Metrics", "registry"]


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
        now = self._counters()
        yield from _events(now)
        yield from _sends(now)
        if self._journal is not None:
            yield from _journal(self._journal())
        yield from self._feed()
        yield from self._sessions()
        yield from self._clients()

    def _feed(self) -> Iterator[Metric]:
        connected = all(endpoint.fed for endpoint in self._endpoints)
        yield gauge("feed_connected", "Whether there is a feed upstream.", connected)
        last = self._last_event() if self._last_event is not None else 0
        if last:
            lag = (self._now() - last) / 1e9
            yield gauge("feed_lag_seconds", "Now minus the time of the last event.", lag)
        if self._stale is not None:
            yield gauge("stale_topics", "Quote topics silent for too long.", self._stale())

    def _sessions(self) -> Iterator[Metric]:
        open_now: Counter[str] = Counter()
        for endpoint in self._endpoints:
            open_now.update(endpoint.by_dialect)
        yield gauges("sessions", "Open sessions.", "dialect", open_now)
        accepted = sum(endpoint.accepted for endpoint in self._endpoints)
        yield counter("handshakes", "Handshakes that became a session.", accepted)

    def _clients(self) -> Iterator[Metric]:
        every = self._endpoints
        refusals = _summed(endpoint.refusals for endpoint in every)
        rejections = _summed(endpoint.rejections for endpoint in every)
        closes = _summed(endpoint.closes for endpoint in every)
        yield counters("handshakes_refused", "Handshakes refused.", "status", refusals)
        unfinished = sum(endpoint.unfinished for endpoint in every)
        turned_away = sum(endpoint.turned_away for endpoint in every)
        yield counter("handshakes_unfinished", "Handshakes never finished.", unfinished)
        yield counter("connections_refused", "Connections cut at once.", turned_away)
        yield counters("messages_rejected", "Client messages rejected.", "code", rejections)
        yield counters("closes", "Sessions ended.", "code", closes)
        acks = [endpoint.acks for endpoint in every]
        yield counter("acks", "event_ack messages.", sum(one.messages for one in acks))
        yield counter("acked_events", "Events in them.", sum(one.events for one in acks))
        yield counter("ack_unknown", "… that are not known.", sum(one.unknown for one in acks))
        buckets = [sum(counts) for counts in zip(*(one.latency for one in acks), strict=True)]
        yield histogram("ack_latency_seconds", "From publish to ack.", buckets, MICROSECOND)


def registry(metrics: Metrics) -> CollectorRegistry:
    """A registry of ours alone: nothing of the process's own."""
    found = CollectorRegistry(auto_describe=False)
    found.register(metrics)
    return found


# ------------------------------------------------------------------------ the core


def _events(now: Counters) -> Iterator[Metric]:
    yield gauge("topics", "Topics seen or subscribed to.", now.topics)
    yield counters("events", "Events published.", "kind", now.events)
    yield counters("offered", "Events put before sessions.", "kind", now.offered)
    yield counter("snapshots", "Last values owed to new subscriptions.", now.snapshots)
    yield counter("replayed", "Recorded events brought to sessions.", now.replayed)
    yield counter("delivered", "Events handed to sinks.", now.delivered)
    yield counter("encoded", "Frames encoded.", now.encoded)
    yield counters("conflated", "Events replaced by newer ones.", "kind", now.conflated)
    yield counters("dropped", "Events never to be sent.", "reason", now.dropped)
    yield counters("given_up", "Sessions given up.", "reason", now.given_up)


def _sends(now: Counters) -> Iterator[Metric]:
    yield counter("sends", "Writes to sessions.", now.sends)
    yield counter("sent_bytes", "Bytes handed to sinks.", now.sent_bytes)
    yield _whole("messages_per_send", "Events of each send.", now.batch, 1)
    yield _whole(
        "publish_to_send_seconds",
        "From publish to send, of the oldest event of each send.",
        now.latency,
        MICROSECOND,
    )
    yield gauge("waiting_events", "Events that wait to be sent.", now.waiting)
    yield gauge("outbox_bytes", "Bytes held for single sessions.", now.backlog_bytes)
    yield gauge("outbox_largest_bytes", "… for the one that holds most.", now.backlog_most)


def _journal(journal: Journal) -> Iterator[Metric]:
    yield counter("journal_recorded", "Events the journal was given.", journal.recorded)
    yield counter("journal_lost", "Events its file had no room for.", journal.lost)
    yield counter("journal_write_errors", "Writes that failed.", journal.write_errors)
    yield counter("journal_read_errors", "Reads that failed.", journal.read_errors)
    yield counter("journal_replay_errors", "Replays that failed.", journal.replay_errors)
    yield gauge("journal_replays", "Replays under way.", journal.replays)
    yield gauge("journal_spool_bytes", "Spooled, not stored.", journal.spool_bytes)
    yield gauge("journal_tail_bytes", "Memory for the newest events.", journal.tail_bytes)
    yield gauge("journal_first_id", "Oldest event that is kept.", journal.first_id)
    yield gauge("journal_last_id", "Newest event.", journal.last_id)


def _whole(name: str, text: str, values: Histogram, unit: float) -> Metric:
    return histogram(name, text, values.buckets, unit, values.sum * unit)


def _summed(found: Iterable[Counter[int]] | Iterable[Counter[str]]) -> dict[str, int]:
    """The counters of all endpoints, by their keys as text."""
    summed: Counter[str] = Counter()
    for one in found:
        for key, value in one.items():
            summed[str(int(key) if isinstance(key, int) else key)] += value
    return summed
