"""What all sessions may hold together."""

from __future__ import annotations

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .peer import START, Kept, Peer, drain


class TestBudgetForAll:
    """All sessions together may hold 100 kB here; each for itself more than that."""

    @pytest.fixture
    def router(self) -> Router:
        return Router(clock=Clock(START), outbox_bytes=1 << 20, total_bytes=100_000)

    def test_who_holds_most_is_given_up(self, router):
        most, less, well = (
            Peer(router, *patterns, room=room)
            for patterns, room in [
                ([("*", "order"), ("*", "trade")], 0),
                ([("*", "order")], 0),
                ([("*", "order")], None),
            ]
        )
        for n in range(70):
            router.publish("order", {"n": n, "note": "x" * 1000})
            router.publish("trade", {"n": n, "note": "x" * 1000})
            drain(router)
            assert router.counters().backlog_bytes <= 100_000
        assert (most.sink.overflowed, less.sink.overflowed) == (True, False)
        assert most.outbox.backlog == 0
        given_up = router.counters().given_up
        assert (given_up["budget"], given_up["overflow"]) == (1, 0)
        less.release()
        drain(router)
        assert [m["order"]["n"] for m in less.read()] == list(range(70))
        assert len(well.read()) == 70
        assert router.counters().backlog_bytes == 0

    def test_control_messages_count(self, router):
        talks, listens = Peer(router, room=0), Peer(router, ("*", "order"), room=0)
        for peer in (talks, listens):
            peer.outbox.block()
        for _ in range(40):
            router.publish("order", {"note": "x" * 1000})
        drain(router)
        for _ in range(70):
            talks.outbox.control(b"x" * 1000)
        assert (talks.sink.overflowed, listens.sink.overflowed) == (True, False)

    def test_replayed_bytes_count(self, router):
        kept = Kept()
        other = Router(clock=Clock(START), recorder=kept)
        for _ in range(60):
            other.publish("order", {"note": "x" * 1000})
        peers = [Peer(router, ("*", "order")) for _ in range(2)]
        for peer in peers:
            peer.outbox.hold()
            peer.outbox.replay(kept.records)
        assert sorted(peer.sink.overflowed for peer in peers) == [False, True]
        assert router.counters().given_up["budget"] == 1

    def test_what_is_sent_closed_muted_or_held_back_counts_no_more(self, router):
        for end in ("close", "mute", "hold", "release"):
            peer = Peer(router, ("*", "order"), room=0)
            for _ in range(20):
                router.publish("order", {"note": "x" * 1000})
                drain(router)
            assert router.counters().backlog_bytes > 15_000
            getattr(peer.outbox, end, peer.release)()
            drain(router)
            assert router.counters().backlog_bytes == 0
            peer.outbox.close()
