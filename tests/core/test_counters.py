"""What a router counts, kind by kind and reason by reason."""

from __future__ import annotations

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.counters import Counters, Histogram
from fastrouter.core.dialect import Dialect
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink

from .peer import SECOND, START, Peer, candle, drain, quote

MICROSECOND = 1000


@pytest.fixture
def timer() -> Clock:
    return Clock(SECOND)


@pytest.fixture
def router(timer: Clock) -> Router:
    return Router(clock=Clock(START), timer=timer, outbox_bytes=1 << 16)


def some(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def balanced(counters: Counters) -> bool:
    return sum(counters.offered.values()) + counters.snapshots == (
        counters.delivered
        + sum(counters.conflated.values())
        + sum(counters.dropped.values())
        + counters.waiting
    )


def test_by_kind_and_each_session_once(router):
    patterns = [("*", "quote"), ("S:A", "quote"), ("*", "candle@5m"), ("*", "order")]
    peers = [Peer(router, *patterns) for _ in range(3)]
    for _ in range(2):
        router.publish(quote("S:A"))
        router.publish(candle("S:A"))  # 1m: nobody listens
        router.publish("order", {"symbol": "S:A"})
    counters = router.counters()
    assert some(counters.events) == {"quote": 2, "candle": 2, "order": 2}
    assert some(counters.offered) == {"quote": 6, "order": 6}
    assert (counters.published, counters.waiting, counters.delivered) == (6, 12, 0)
    assert balanced(counters)
    drain(router)
    counters = router.counters()
    assert (counters.waiting, counters.delivered, counters.sends) == (0, 12, 3)
    assert counters.sent_bytes == sum(len(peer.sink.data) for peer in peers)
    assert (counters.sessions, counters.topics) == (3, 3)
    assert balanced(counters)


def test_conflated_by_kind(router, timer):
    Peer(router, ("*", "quote"), ("*", "candle@1m"), room=0).outbox.block()
    for second in range(4):
        timer.set((second + 1) * SECOND)
        router.publish(quote("S:A"))
        router.publish(candle("S:A", closed=second == 3))
    drain(router)
    counters = router.counters()
    assert some(counters.conflated) == {"quote": 3, "candle": 3}
    assert counters.waiting == 2
    assert balanced(counters)


def test_snapshots_are_no_offers(router):
    router.publish(quote("S:A"))
    router.publish(quote("S:B"))
    peer = Peer(router, ("*", "quote"))
    router.publish(quote("S:A"))  # the snapshot will say this
    counters = router.counters()
    assert (counters.snapshots, counters.waiting) == (2, 2)
    assert some(counters.conflated) == some(counters.offered) == {"quote": 1}
    peer.outbox.unsubscribe([("S:B", "quote")])
    drain(router)
    assert router.counters().delivered == 2
    assert balanced(router.counters())


def test_a_value_that_a_dialect_has_no_message_for_is_not_counted(router):
    class Deaf(Dialect):
        def encode(self, event):
            return None

    router.publish(quote("S:A"))
    outbox = router.attach(MemorySink(), Deaf("deaf"))
    outbox.subscribe([("*", "quote")])
    router.publish(quote("S:A"))
    drain(router)
    counters = router.counters()
    assert (counters.snapshots, counters.waiting, counters.delivered) == (0, 0, 0)
    assert some(counters.offered) == some(counters.conflated) == {}


class TestDropped:
    def overflow(self, router, peer):
        peer.outbox.block()
        drain(router)
        for _ in range(40):
            router.publish("order", {"note": "x" * 2000})

    def close(self, router, peer):
        peer.outbox.close()

    def mute(self, router, peer):
        peer.outbox.mute()

    def unsubscribe(self, router, peer):
        peer.outbox.block()
        drain(router)
        peer.outbox.unsubscribe([("*", "quote")])

    @pytest.mark.parametrize(
        ("act", "reason", "count", "given_up"),
        [
            ("overflow", "overflow", 42, 1),
            ("close", "closed", 2, 1),
            ("mute", "closed", 2, 1),
            ("unsubscribe", "unsubscribed", 1, 0),
        ],
    )
    def test_by_reason(self, router, act, reason, count, given_up):
        peer = Peer(router, ("*", "quote"), ("*", "order"))
        router.publish(quote("S:A"))
        router.publish("order", {})
        getattr(self, act)(router, peer)
        drain(router)
        counters = router.counters()
        assert some(counters.dropped) == {reason: count}
        assert counters.given_up[reason] == given_up
        assert balanced(counters)

    def test_closing_one_that_was_given_up_is_not_a_second_reason(self, router):
        peer = Peer(router, ("*", "quote"), ("*", "order"))
        self.overflow(router, peer)
        peer.outbox.close()
        drain(router)
        assert some(router.counters().given_up) == {"overflow": 1}
        assert balanced(router.counters())


def test_backlog_of_all_and_of_the_one_that_holds_most(router):
    peers = [Peer(router, ("*", "order")) for _ in range(2)]
    for peer in peers:
        peer.outbox.block()
    router.publish("order", {})
    peers[0].outbox.control(b"x" * 50)
    drain(router)
    held = [peer.outbox.backlog for peer in peers]
    counters = router.counters()
    assert (counters.backlog_bytes, counters.backlog_most) == (sum(held), held[0])


class TestHistograms:
    def test_bounds(self):
        assert [Histogram.largest(bucket) for bucket in range(5)] == [0, 1, 3, 7, 15]

    def test_latency_of_the_oldest_event_of_each_send(self, router, timer):
        Peer(router, ("*", "quote"))
        for wait in (0, 1, 3, 900):  # us
            router.publish(quote("S:A"))
            timer.set(timer.time_ns() + wait * MICROSECOND)
            router.publish(quote("S:A"))
            drain(router)
        latency = router.counters().latency
        assert {i: n for i, n in enumerate(latency.buckets) if n} == {0: 1, 1: 1, 2: 1, 10: 1}
        assert (latency.total, latency.sum) == (4, 904)

    def test_who_was_blocked_is_not_in_the_latency(self, router, timer):
        peer = Peer(router, ("*", "order"))
        peer.outbox.block()
        router.publish("order", {})
        drain(router)
        timer.set(timer.time_ns() + 3600 * SECOND)
        peer.release()
        drain(router)
        counters = router.counters()
        assert (counters.sends, counters.latency.total) == (1, 0)

    def test_events_of_each_send(self, router):
        peer = Peer(router, ("*", "quote"))
        for count in (1, 2, 3, 7):
            for _ in range(count):
                router.publish(quote("S:A"))
            drain(router)
        peer.outbox.control(b"{}")
        drain(router)
        batch = router.counters().batch
        assert batch.buckets[:5] == [1, 1, 2, 1, 0]
        assert (batch.total, batch.sum) == (5, 13)
