"""Sessions that want conflatable events at an interval of theirs."""

from __future__ import annotations

import random

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .peer import START, Peer, body, candle, drain, quote

ALL = (("*", "quote"), ("*", "candle@1m"), ("*", "order"))
MS = 1_000_000


class TestPace:
    @pytest.fixture
    def timer(self) -> Clock:
        return Clock(7)

    @pytest.fixture
    def router(self, kept, timer) -> Router:
        return Router(clock=Clock(START), timer=timer, recorder=kept)

    @staticmethod
    def at(router: Router, time: int) -> None:
        router.timer.set(7 + time)
        drain(router)

    def test_at_once_after_a_silence_then_the_newest_when_due(self, router):
        peer = Peer(router, *ALL)
        peer.outbox.pace(250 * MS)
        drain(router)
        assert router.next_due is None
        router.publish(quote("S:A", 1.0))
        self.at(router, 0)
        assert [body(m)["bid"] for m in peer.read()] == ["1"]
        for bid in (2.0, 3.0):
            router.publish(quote("S:A", bid))
            self.at(router, 100 * MS)
        assert peer.read() == []
        assert not peer.outbox.waiting
        assert router.next_due == 7 + 250 * MS
        self.at(router, 249 * MS)
        assert peer.read() == []
        self.at(router, 250 * MS)
        assert [(body(m)["bid"], body(m)["seq"]) for m in peer.read()] == [("3", 3)]
        assert router.next_due is None
        assert peer.outbox.conflated == 1
        self.at(router, 800 * MS)
        router.publish(quote("S:A", 4.0))
        self.at(router, 800 * MS)
        assert [body(m)["bid"] for m in peer.read()] == ["4"]

    def test_lossless_events_and_control_do_not_wait(self, router):
        peer = Peer(router, *ALL)
        peer.outbox.pace(250 * MS)
        router.publish(quote("S:A", 1.0))
        drain(router)
        router.publish(quote("S:A", 2.0))
        router.publish("order", {"n": 1})
        router.publish(candle("S:A"))
        peer.outbox.control(b'{"type":"ping"}')
        drain(router)
        assert [m["type"] for m in peer.read()] == ["quote", "ping", "order", "candle"]
        self.at(router, 250 * MS)
        assert [m["type"] for m in peer.read()] == ["quote"]

    def test_forming_candles_are_paced_and_give_way_to_the_closed_one(self, router):
        peer = Peer(router, ("*", "candle@1m"))
        peer.outbox.pace(5000 * MS)
        for second in range(5):
            router.clock.set(START + second * 1000 * MS)
            router.publish(candle("S:A", float(second), closed=False))
            self.at(router, second * 1000 * MS)
        router.publish(candle("S:A", 9.0))
        self.at(router, 5000 * MS)
        assert [(body(m)["close"], body(m)["closed"]) for m in peer.read()] == [
            ("0", False),
            ("9", True),
        ]

    def test_a_round_of_many_topics_is_one_round(self, router):
        """It takes several visits; none of its topics waits for the next, none comes twice."""
        symbols = [f"S:{n}" for n in range(2000)]
        peer = Peer(router)
        peer.outbox.pace(250 * MS)
        for bid in range(3):
            for symbol in symbols:
                router.publish(quote(symbol, float(bid)))
            router.timer.set(7 + bid * 250 * MS)
            peer.outbox.subscribe(ALL)
            before = peer.sink.writes
            while router.flush(1):
                router.publish(quote("S:0", 7.0))
            assert peer.sink.writes > before + 3
            got = [body(m)["symbol"] for m in peer.read()]
            assert sorted(got) == sorted(symbols)
        self.at(router, 3 * 250 * MS)
        assert [body(m)["bid"] for m in peer.read()] == ["7"]

    @pytest.mark.parametrize("seed", range(6))
    def test_at_most_one_in_an_interval_and_the_last_value_always(self, router, seed):
        rng = random.Random(seed)
        peer = Peer(router, *ALL)
        peer.outbox.pace(100 * MS)
        sent: dict[str, int] = {}
        newest: dict[str, int] = {}
        for now in range(0, 5000 * MS, 3 * MS):
            router.timer.set(7 + now)
            if rng.random() < 0.3:
                symbol = rng.choice(["S:A", "S:B", "S:C"])
                newest[symbol] = newest.get(symbol, 0) + 1
                router.publish(quote(symbol, float(newest[symbol])))
            if rng.random() < 0.05:
                peer.sink.give(rng.choice([0, 50, 300]))
                peer.outbox.resume()
            elif rng.random() < 0.1:
                peer.release()
            if rng.random() < 0.5:
                router.flush()
            for message in peer.read():
                symbol = body(message)["symbol"]
                assert now - sent.get(symbol, -(10**12)) >= 100 * MS
                sent[symbol] = now
        peer.release()
        drain(router)
        while router.next_due is not None:
            router.timer.set(router.next_due)
            drain(router)
            peer.release()
        last = {body(m)["symbol"]: body(m)["seq"] for m in peer.read()}
        assert all(newest[symbol] == seq for symbol, seq in last.items())
        assert peer.outbox.delivered + peer.outbox.conflated == sum(newest.values())

    def test_snapshots_are_a_round(self, router):
        router.publish(quote("S:A"))
        router.publish(quote("C:A"))
        peer = Peer(router)
        peer.outbox.pace(250 * MS)
        peer.outbox.subscribe([("S:*", "quote")])
        drain(router)
        assert [m["snapshot"] for m in peer.read()] == [True]
        peer.outbox.subscribe([("C:*", "quote")])
        drain(router)
        assert peer.read() == []
        self.at(router, 250 * MS)
        assert [body(m)["symbol"] for m in peer.read()] == ["C:A"]

    def test_wake_is_called_for_one_who_only_waits(self, router):
        calls = []
        router.wake = lambda: calls.append(router.next_due)
        peer = Peer(router, *ALL)
        peer.outbox.pace(250 * MS)
        router.publish(quote("S:A", 1.0))
        drain(router)
        del calls[:]
        router.publish(quote("S:A", 2.0))
        router.publish(quote("S:B", 2.0))
        assert calls == [7 + 250 * MS]
        assert router.flush() is False
        router.publish(quote("S:A", 3.0))
        assert len(calls) == 1

    def test_a_session_about_to_close_gets_the_rest_at_once(self, router):
        peer = Peer(router, *ALL)
        peer.outbox.pace(250 * MS)
        for bid in (1.0, 2.0):
            router.publish(quote("S:A", bid))
            drain(router)
        peer.outbox.flush()
        assert [body(m)["bid"] for m in peer.read()] == ["1", "2"]
        peer.outbox.close()
        self.at(router, 250 * MS)

    def test_closed_while_it_waits(self, router):
        peers = [Peer(router, *ALL) for _ in range(3)]
        for peer in peers:
            peer.outbox.pace(250 * MS)
        for bid in (1.0, 2.0):
            router.publish(quote("S:A", bid))
            drain(router)
        for peer in peers[:2]:
            peer.outbox.close()
        assert router.next_due == 7 + 250 * MS
        peers[2].outbox.close()
        assert router.next_due is None
        self.at(router, 250 * MS)

    def test_no_longer_paced_is_back_on_the_ring(self, router):
        peer = Peer(router, *ALL)
        peer.outbox.pace(250 * MS)
        for bid in (1.0, 2.0):
            router.publish(quote("S:A", bid))
            drain(router)
        peer.outbox.pace(0)
        for bid in (3.0, 4.0):
            router.publish(quote("S:A", bid))
            drain(router)
        router.publish(quote("S:A", 5.0))
        router.publish(quote("S:A", 6.0))
        drain(router)
        assert [body(m)["bid"] for m in peer.read()] == ["1", "3", "4", "5", "6"]
        assert router.next_due is None

    def test_held_and_paced(self, router, kept):
        router.publish("order", {"n": 1})
        router.publish(quote("S:A"))
        peer = Peer(router)
        peer.outbox.pace(250 * MS)
        peer.outbox.hold()
        peer.outbox.subscribe(ALL)
        peer.outbox.replay(kept.records)
        drain(router)
        assert peer.sink.drains > 0
        peer.outbox.go_live()
        drain(router)
        assert [m["type"] for m in peer.read()] == ["order", "quote"]

    def test_memory_does_not_grow_with_traffic(self, router):
        """A session that is always owed something forgets what it was sent."""
        peer = Peer(router, *ALL)
        peer.outbox.pace(MS)
        for n in range(20_000):
            router.publish(quote(f"S:{n % 5}", float(n)))
            if n % 2:
                self.at(router, n * MS)
        assert len(peer.read()) > 9_000
        drain(router)

    def test_no_interval(self, router):
        with pytest.raises(ValueError, match="allowed: from 0"):
            Peer(router).outbox.pace(-1)
