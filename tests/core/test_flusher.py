"""Slow consumers, and random traffic against an oracle that says the rules slowly."""

from __future__ import annotations

import random
import re

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .peer import MINUTE, SECOND, START, Peer, body, candle, drain, quote


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(START))


class TestSlowConsumer:
    def test_quotes_conflate_and_the_newest_arrives(self, router):
        peer = Peer(router, ("*", "quote"), room=0)
        for i in range(1000):
            router.publish(quote("S:A", float(i)))
            router.publish(quote("S:B", float(i)))
            router.flush()
        assert peer.outbox.blocked
        assert peer.outbox.backlog == 0
        # the one frame the sink had to finish, so that it has something to wait for
        assert [body(m)["seq"] for m in peer.read()] == [1]
        peer.release()
        drain(router)
        rest = [(body(m)["symbol"], body(m)["seq"], body(m)["bid"]) for m in peer.read()]
        assert rest == [("S:B", 1000, "999"), ("S:A", 1000, "999")]
        assert peer.outbox.conflated == 1997
        router.publish(quote("S:A", 7.0))
        drain(router)
        assert [body(m)["seq"] for m in peer.read()] == [1001]

    def test_lossless_events_queue_in_order_ahead_of_quotes(self, router):
        peer = Peer(router, ("*", "quote"), ("*", "candle@1m"), ("*", "order"), room=0)
        router.publish(quote("S:A", 1.0))
        router.flush()
        for n in range(5):
            router.publish(quote("S:A", 2.0 + n))
            router.publish("order", {"event": "ORDER_FILLED", "symbol": "S:A", "n": n})
            router.publish(candle("S:A", time=START + n * MINUTE))
        peer.outbox.control(b'{"type":"ping"}')
        peer.release()
        drain(router)
        kinds = [m["type"] for m in peer.read()]
        assert kinds == ["quote", "ping", *["order", "candle"] * 5, "quote"]

    def test_over_its_bound_it_is_given_up(self, router):
        slow = Peer(router, ("*", "order"), room=0)
        well = Peer(router, ("*", "order"))
        for _ in range(1200):
            router.publish("order", {"symbol": "S:A", "note": "x" * 1000})
            router.flush()
        assert slow.sink.overflowed
        assert slow.outbox.backlog == 0
        assert len(well.read()) == 1200

    def test_control_alone_can_be_over_the_bound(self, router):
        slow = Peer(router, ("*", "quote"), room=0)
        router.publish(quote("S:A"))
        router.flush()
        for _ in range(2000):
            slow.outbox.control(b"x" * 1000)
        assert slow.sink.overflowed
        assert slow.outbox.backlog == 0

    def test_others_are_not_delayed(self, router):
        stalled = [Peer(router, ("S:A", "quote"), room=0) for _ in range(10)]
        well = Peer(router, ("S:A", "quote"))
        for i in range(100):
            router.publish(quote("S:A", float(i)))
            drain(router)
        assert [body(m)["seq"] for m in well.read()] == list(range(1, 101))
        assert all(p.sink.writes == 1 for p in stalled)

    def test_forming_candle_gives_way_to_the_closed_one(self, router):
        peer = Peer(router, ("*", "candle@1m"), room=0)
        router.publish(candle("S:A", 1.0, closed=False))
        router.flush()
        router.clock.set(START + 2 * SECOND)
        router.publish(candle("S:A", 2.0, closed=False))
        router.publish(candle("S:A", 3.0, closed=True))
        peer.release()
        drain(router)
        got = [(body(m)["close"], body(m)["closed"], body(m)["seq"]) for m in peer.read()]
        assert got == [("1", False, 1), ("3", True, 3)]

    def test_blocked_from_outside_before_anything_was_sent(self, router):
        """The transport holds bytes of somebody else (a pong): no write may overtake them."""
        peer = Peer(router, ("*", "quote"), ("*", "order"))
        peer.outbox.block()
        router.publish(quote("S:A", 1.0))
        router.publish("order", {"symbol": "S:A"})
        router.publish(quote("S:A", 2.0))
        drain(router)
        assert peer.sink.writes == 0
        peer.outbox.resume()
        drain(router)
        assert [m["type"] for m in peer.read()] == ["order", "quote"]

    def test_owed_topics_that_were_unsubscribed_are_forgotten(self, router):
        peer = Peer(router, ("*", "quote"), room=0)
        router.publish(quote("S:A"))
        router.flush()
        router.publish(quote("S:B"))
        peer.outbox.unsubscribe([("*", "quote")])
        peer.read()
        peer.release()
        assert router.flush(10) is False
        assert peer.read() == []
        assert not peer.outbox.waiting

    def test_left_and_back_while_blocked_it_gets_one_snapshot(self, router):
        peer = Peer(router, ("*", "quote"), room=0)
        router.publish(quote("S:A"))
        router.flush()
        router.publish(quote("S:B"))
        peer.outbox.unsubscribe([("*", "quote")])
        peer.outbox.subscribe([("*", "quote")])
        peer.read()
        peer.release()
        drain(router)
        got = [(body(m)["symbol"], body(m)["seq"], m.get("snapshot")) for m in peer.read()]
        assert sorted(got) == [("S:A", 1, True), ("S:B", 1, True)]

    def test_forming_candles_around_a_closed_one_are_sent_once(self, router):
        peer = Peer(router, ("*", "candle@1m"), room=0)
        for second, closed in enumerate((True, False, True, False)):
            router.clock.set(START + second * SECOND)
            router.publish(candle("S:A", float(second), closed=closed))
            router.flush()
        peer.release()
        drain(router)
        assert [body(m)["seq"] for m in peer.read()] == [1, 3, 4]

    def test_a_publish_that_makes_room_sends_what_is_older(self, router):
        router.publish(quote("S:A"))
        peer = Peer(router, ("*", "quote"))
        Peer(router, ("*", "order"))
        for _ in range(2):
            router.publish("order", {"note": "x" * 200_000})
        router.publish(quote("S:A"))
        drain(router)
        assert [(body(m)["seq"], m.get("snapshot")) for m in peer.read()] == [(1, True), (2, None)]

    def test_a_wake_that_raises_is_called_again(self, router):
        def wake():
            calls.append(1)
            if len(calls) == 1:
                raise RuntimeError("no loop")

        calls = []
        router.wake = wake
        Peer(router, ("*", "quote"))
        with pytest.raises(RuntimeError, match="no loop"):
            router.publish(quote("S:A"))
        router.publish(quote("S:A"))
        assert len(calls) == 2

    @pytest.mark.parametrize("room", range(1, 700, 13))
    def test_wherever_the_sink_stops_frames_stay_whole(self, router, room):
        peer = Peer(router, ("*", "quote"), ("*", "order"), room=room)
        peer.outbox.control(b'{"type":"ping"}')
        for i in range(5):
            router.publish(quote("S:A", float(i)))
            router.publish("order", {"symbol": "S:A", "n": i})
        drain(router)
        peer.release()
        drain(router)
        got = peer.read()
        assert [m["type"] for m in got].count("ping") == 1
        assert [m["order"]["n"] for m in got if m["type"] == "order"] == [0, 1, 2, 3, 4]
        quotes = [body(m)["seq"] for m in got if m["type"] == "quote"]
        assert quotes == sorted(set(quotes))
        assert quotes[-1] == 5
        assert not peer.outbox.waiting


@pytest.mark.parametrize("seed", range(8))
def test_random_traffic_against_an_oracle(seed):
    """Subscribe, unsubscribe, publish, stall, drain at random: nothing lost, nothing twice."""
    rng = random.Random(seed)
    router = Router(clock=Clock(START), outbox_bytes=1 << 17)
    symbols = [f"{p}:{n}" for p in "SC" for n in ("AAPL", "MSFT", "A", "AA", "B")]
    patterns = [*symbols, "*", "S:*", "C:A*", "*A*", "S:*L", "none"]
    kinds = ["quote", "candle@1m", "order"]
    peers = [Oracle(router) for _ in range(12)]
    seqs: dict[tuple[str, str], int] = {}
    for step in range(3000):
        action = rng.random()
        peer = rng.choice(peers)
        some = [(rng.choice(patterns), rng.choice(kinds)) for _ in range(3)]
        if action < 0.05:
            peer.add(some, seqs)
        elif action < 0.09:
            peer.remove(some)
        elif action < 0.12:
            peer.limit(rng.choice([0, 10, 300, 1000, 5000]))
        elif action < 0.15:
            peer.release()
        elif action < 0.30:
            router.flush(rng.randint(1, 20))
        elif action < 0.33:
            peer.outbox.control(b'{"type":"ping"}')
        else:
            publish_one(router, rng.choice(symbols), rng.choice(kinds), step, seqs, peers)
    for peer in peers:
        peer.release()
    drain(router)
    for peer in peers:
        peer.check()
    assert router.pending == 0
    assert (
        sum(peer.outbox.conflated for peer in peers)
        == sum(router.counters().conflated.values())
        > 0
    )


def publish_one(router, symbol, kind, step, seqs, peers) -> None:
    seqs[symbol, kind] = seqs.get((symbol, kind), 0) + 1
    for peer in peers:
        peer.published(symbol, kind, seqs[symbol, kind], step)
    if kind == "quote":
        router.publish(quote(symbol, float(step)))
    elif kind == "order":
        router.publish("order", {"symbol": symbol, "n": step})
    else:
        router.publish(candle(symbol, float(step)))


class Oracle(Peer):
    """What one session must have seen."""

    def __init__(self, router: Router):
        super().__init__(router)
        self.patterns: set[tuple[str, str]] = set()
        self.lossless: list[tuple[str, int]] = []
        self.newest: dict[str, int] = {}
        self.limited = False

    def matches(self, symbol: str, kind: str) -> bool:
        return any(
            kind == event_type and re.fullmatch(re.escape(p).replace(r"\*", ".*"), symbol)
            for p, event_type in self.patterns
        )

    def add(self, patterns, seqs) -> None:
        before = {key for key in seqs if self.matches(*key)}
        self.outbox.subscribe(patterns)
        self.patterns.update(patterns)
        for (symbol, kind), seq in seqs.items():
            if kind == "quote" and (symbol, kind) not in before and self.matches(symbol, kind):
                self.newest[symbol] = seq

    def remove(self, patterns) -> None:
        self.outbox.unsubscribe(patterns)
        self.patterns.difference_update(patterns)
        self.newest = {s: n for s, n in self.newest.items() if self.matches(s, "quote")}

    def limit(self, room: int) -> None:
        self.sink.give(room)
        self.limited = True
        self.outbox.resume()

    def published(self, symbol: str, kind: str, seq: int, step: int) -> None:
        if not self.matches(symbol, kind):
            return
        if kind == "quote":
            self.newest[symbol] = seq
        else:
            self.lossless.append((kind, step))

    def check(self) -> None:
        lossless, seen = [], {}
        for message in self.read():
            if message["type"] == "order":
                lossless.append(("order", message["order"]["n"]))
            elif message["type"] == "candle" and not message.get("snapshot"):
                lossless.append(("candle@1m", int(message["bar"]["close"])))
            elif message["type"] == "quote":
                symbol, seq = message["quote"]["symbol"], message["quote"]["seq"]
                # a session that left a topic and came back may see its last value again
                assert seq > seen.get(symbol, 0) or message.get("snapshot")
                seen[symbol] = seq
        assert not self.sink.overflowed
        assert lossless == self.lossless
        assert {symbol: seen.get(symbol) for symbol in self.newest} == self.newest
        if not self.limited:
            assert self.outbox.conflated == 0
