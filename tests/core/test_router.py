"""publish, batches, snapshots, the order of sends, and what is refused."""

from __future__ import annotations

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dialect import Dialect
from fastrouter.core.event import Candle, Event, Quote
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.errors import EventError, SubscriptionError

from .peer import MINUTE, START, Kept, Peer, body, candle, drain, quote


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(START))


def test_publish_only_appends_and_flush_sends_once(router):
    peer = Peer(router, ("S:AAPL", "quote"))
    for bid in (1.0, 2.0, 3.0):
        router.publish(quote("S:AAPL", bid))
    assert peer.sink.writes == 0
    assert router.flush() is False
    assert peer.sink.writes == 1
    assert [body(m)["bid"] for m in peer.read()] == ["1", "2", "3"]


def test_seq_rises_per_topic_and_id_over_all(router):
    peer = Peer(router, ("*", "quote"), ("*", "candle@1m"))
    router.publish(quote("S:A"))
    router.publish(candle("S:A"))
    router.publish(quote("S:B"))
    router.publish(quote("S:A"))
    drain(router)
    got = [(m["id"], m["type"], body(m)["symbol"], body(m)["seq"]) for m in peer.read()]
    assert got == [
        ("evt_1", "quote", "S:A", 1),
        ("evt_2", "candle", "S:A", 1),
        ("evt_3", "quote", "S:B", 1),
        ("evt_4", "quote", "S:A", 2),
    ]


def test_matched_through_three_groups_is_sent_once(router):
    peer = Peer(router, ("S:AAPL", "quote"), ("S:*", "quote"), ("*", "quote"))
    router.publish(quote("S:AAPL"))
    drain(router)
    assert len(peer.read()) == 1


def test_nobody_listens_nothing_is_encoded(router):
    Peer(router, ("S:MSFT", "quote"))
    router.publish(quote("S:AAPL"))
    assert router.encoder.encoded == 0


def test_encoded_once_for_all_sessions_of_a_dialect(router):
    peers = [Peer(router, ("S:AAPL", "quote")) for _ in range(50)]
    router.publish(quote("S:AAPL"))
    drain(router)
    assert router.encoder.encoded == 1
    assert all(len(peer.read()) == 1 for peer in peers)


def test_the_first_of_a_fan_out_changes(router):
    first = set()
    peers = [Peer(router, ("S:AAPL", "quote")) for _ in range(8)]
    for _ in range(64):
        router.publish(quote("S:AAPL"))
        before = [peer.sink.writes for peer in peers]
        router.flush(1)
        first.add([p.sink.writes - b for p, b in zip(peers, before, strict=True)].index(1))
        drain(router)
    assert first == set(range(8))


def test_oldest_first_and_nobody_twice_while_another_waits(router):
    peers = [Peer(router, ("S:AAPL", "quote")) for _ in range(5)]
    router.publish(quote("S:AAPL"))
    assert router.flush(3) is True
    router.publish(quote("S:AAPL"))  # the three visited ones queue behind the other two
    assert router.flush(2) is True
    assert sorted(p.sink.writes for p in peers) == [1, 1, 1, 1, 1]
    drain(router)
    assert sorted(len(p.read()) for p in peers) == [2, 2, 2, 2, 2]


def test_wake_is_called_once_until_the_queue_is_empty(router):
    calls = []
    router.wake = lambda: calls.append(1)
    Peer(router, ("S:AAPL", "quote"))
    router.publish(quote("S:AAPL"))
    router.publish(quote("S:AAPL"))
    assert len(calls) == 1
    drain(router)
    router.publish(quote("S:AAPL"))
    assert len(calls) == 2


def test_a_tight_loop_is_flushed_in_line_within_bounded_memory(router):
    peers = [Peer(router, ("S:AAPL", "quote")) for _ in range(3)]
    for i in range(20_000):  # 4 MB of frames, never a flush from outside
        router.publish(quote("S:AAPL", float(i)))
        assert router.pending <= (1 << 18) + 2048
    drain(router)
    for peer in peers:
        assert [body(m)["seq"] for m in peer.read()] == list(range(1, 20_001))


def test_interleaved_topics_reach_each_session_in_order(router):
    """Lists of references that are not contiguous in the ring, equal ones among them."""
    a = [Peer(router, ("S:A", "quote")) for _ in range(3)]
    b = [Peer(router, ("S:B", "quote")) for _ in range(2)]
    for i in range(5000):
        router.publish(quote("S:A", float(i)))
        router.publish(quote("S:B", float(i)))
        if i % 37 == 0:
            drain(router)
    drain(router)
    for peer in a + b:
        assert [body(m)["seq"] for m in peer.read()] == list(range(1, 5001))
    assert router.flusher.copied < router.counters().sends


def test_snapshot_then_live_with_no_gap_and_no_duplicate(router):
    for bid in (1.0, 2.0):
        router.publish(quote("S:A", bid))
        router.publish(quote("S:B", bid))
    router.publish(candle("S:A"))
    late = Peer(router, ("S:*", "quote"), ("S:A", "candle@1m"))
    router.publish(quote("S:A", 3.0))  # before the snapshot has left
    drain(router)
    router.publish(quote("S:A", 4.0))
    router.publish(quote("S:B", 4.0))
    drain(router)
    got = [(body(m)["symbol"], m["type"], body(m)["seq"], m.get("snapshot")) for m in late.read()]
    assert got == [
        ("S:A", "quote", 3, True),
        ("S:B", "quote", 2, True),
        ("S:A", "candle", 1, True),
        ("S:A", "quote", 4, None),
        ("S:B", "quote", 3, None),
    ]


def test_no_second_snapshot_for_what_a_session_gets_already(router):
    router.publish(quote("S:A"))
    router.publish(quote("S:B"))
    peer = Peer(router, ("S:A", "quote"))
    drain(router)
    peer.read()
    peer.outbox.subscribe([("S:*", "quote"), ("S:A", "quote")])
    drain(router)
    assert [body(m)["symbol"] for m in peer.read()] == ["S:B"]


def test_control_goes_before_data_and_costs_no_event(router):
    peer = Peer(router, ("S:A", "quote"))
    router.publish(quote("S:A", 1.0))
    router.publish(quote("S:A", 2.0))
    peer.outbox.control(b'{"type":"ping"}')
    drain(router)
    assert [m["type"] for m in peer.read()] == ["ping", "quote", "quote"]
    assert peer.sink.writes == 1


def test_unsubscribed_gets_nothing_more(router):
    peer = Peer(router, ("S:A", "quote"), ("S:B", "quote"))
    router.publish(quote("S:A"))
    peer.outbox.unsubscribe([("S:A", "quote"), ("S:X", "quote")])
    assert [body(m)["symbol"] for m in peer.read()] == ["S:A"]
    router.publish(quote("S:A"))
    router.publish(quote("S:B"))
    drain(router)
    assert [body(m)["symbol"] for m in peer.read()] == ["S:B"]


def test_forming_candles_at_most_once_a_second(router):
    peer = Peer(router, ("*", "candle@1m"))
    for tenth in range(25):
        router.clock.set(START + tenth * 100_000_000)
        router.publish(candle("S:A", float(tenth), closed=False))
    drain(router)
    assert [body(m)["close"] for m in peer.read()] == ["0", "10", "20"]
    assert router.counters().throttled == 22


def test_a_throttled_forming_candle_is_the_topics_value_all_the_same(router):
    """A snapshot brings the newest, and so does what a slow session is owed."""
    slow = Peer(router, ("*", "candle@1m"), ("*", "quote"), room=0)
    router.publish(quote("S:B"))
    router.flush()
    for tenth in range(5):
        router.clock.set(START + tenth * 100_000_000)
        router.publish(candle("S:A", float(tenth), closed=False))
    late = Peer(router, ("*", "candle@1m"))
    slow.release()
    drain(router)
    assert [(body(m)["close"], body(m)["seq"]) for m in late.read()] == [("4", 5)]
    assert [(body(m)["close"], body(m)["seq"]) for m in slow.read()[1:]] == [("4", 5)]
    router.clock.set(START + 1_000_000_000)
    router.publish(candle("S:A", 7.0, closed=False))
    drain(router)
    assert [(body(m)["close"], body(m)["seq"]) for m in late.read()] == [("7", 6)]


class TestNotice:
    def test_it_reaches_who_is_subscribed_to_the_topic_once_and_in_order(self, router):
        peer = Peer(router, ("S:A", "quote"), ("S:*", "quote"), ("*", "order"))
        other = Peer(router, ("S:B", "quote"), ("S:A", "candle@1m"))
        router.publish(quote("S:A"))
        for _ in range(2):
            router.notice("S:A", "quote", "stale", symbol="S:A", event_type="quote", kind=5)
        router.publish(quote("S:A"))
        drain(router)
        assert other.read() == []
        got = peer.read()
        assert [m["type"] for m in got] == ["quote", "stale", "stale", "quote"]
        assert got[1] == {
            "type": "stale",
            "symbol": "S:A",
            "event_type": "quote",
            "kind": 5,
            "timestamp": "2025-01-01T00:00:00.000000Z",
        }
        assert [m["id"] for m in got[::3]] == ["evt_1", "evt_2"]

    def test_it_is_not_dropped_nor_is_what_it_is_about(self, router):
        peer = Peer(router, ("*", "quote"), room=0)
        held = Peer(router, ("*", "quote"))
        held.outbox.hold()
        router.publish(quote("S:B"))
        router.flush()
        router.publish(quote("S:A"))
        router.notice("S:A", "quote", "stale")
        drain(router)
        assert [m["type"] for m in held.read()] == ["stale"]
        peer.read()
        peer.release()
        drain(router)
        assert [m["type"] for m in peer.read()] == ["stale", "quote"]

    def test_it_is_not_recorded(self):
        kept = Kept()
        router = Router(clock=Clock(START), recorder=kept)
        Peer(router, ("*", "quote"))
        router.notice("S:A", "quote", "stale")
        assert (kept.records, router.last_id) == ([], 0)

    def test_a_dialect_that_cannot_say_it_is_passed_over(self, router):
        sink = MemorySink()
        router.attach(sink, Dialect("dumb")).subscribe([("*", "quote")])
        peer = Peer(router, ("*", "quote"))
        router.notice("S:A", "quote", "stale")
        drain(router)
        assert len(peer.read()) == 1
        assert sink.writes == 0

    def test_about_no_topic(self, router):
        with pytest.raises(SubscriptionError):
            router.notice("S:A", "nonsense", "stale")
        with pytest.raises(EventError, match="symbol"):
            router.notice("S A", "quote", "stale")


class TestPublishedAt:
    def test_by_the_timer(self):
        router = Router(clock=Clock(START), timer=Clock(100))
        Peer(router, ("*", "quote"), ("*", "order"))
        router.publish(quote("S:A"))
        drain(router)
        router.timer.set(200)
        router.publish(candle("S:A"))  # nobody listens
        router.publish("order", {})
        router.publish(quote("S:A"))
        assert [router.published_at(n) for n in range(6)] == [0, 100, 0, 200, 200, 0]
        assert router.published_at(2**64 - 1) == 0

    def test_the_last_65536(self, router):
        Peer(router, ("S:A", "quote"))
        for n in range(70_000):
            router.publish(quote("S:A" if n % 2 else "S:B"))
        assert router.published_at(2) == START
        for _ in range(40_000):
            router.publish(quote("S:A"))
        assert router.published_at(2) == 0
        last = router.last_id
        oldest = last - 40_000 - 2 * (65_536 - 40_000)
        assert [router.published_at(oldest + n) > 0 for n in range(4)] == [
            False,
            False,
            True,
            False,
        ]
        assert router.published_at(last) == START


def test_close_during_a_backlog_frees_and_forgets(router):
    peers = [Peer(router, ("*", "quote")) for _ in range(10)]
    router.publish(quote("S:A"))
    for peer in peers[::2]:
        peer.outbox.close()
        peer.outbox.close()
    drain(router)
    assert [len(p.read()) for p in peers] == [0, 1] * 5
    assert router.counters().sessions == 5
    with pytest.raises(ValueError, match="closed"):
        peers[0].outbox.subscribe([("*", "quote")])


def test_event_of_a_kind(router):
    peer = Peer(router, ("*", "order"), ("*", "account"))
    router.publish(Event("order", {"event": "ORDER_FILLED", "id": "o1"}, symbol="S:A", time=START))
    router.publish("account", {"cash": "10"})
    drain(router)
    order, account = peer.read()
    assert list(order) == ["type", "event", "id", "order", "timestamp"]
    assert order["order"] == {"id": "o1"}
    assert account["account"] == {"cash": "10"}


class TestRefused:
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    @pytest.mark.parametrize("field", ["bid", "ask", "last", "bid_size", "ask_size"])
    def test_quote_that_is_not_finite(self, field, value):
        fields = dict.fromkeys(("bid", "ask", "last", "bid_size", "ask_size"), 1.0)
        with pytest.raises(EventError, match=field):
            Quote("S:A", **{**fields, field: value})

    @pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
    def test_candle_that_is_not_finite(self, field):
        fields = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
        with pytest.raises(EventError, match=field):
            Candle("S:A", **{**fields, field: float("nan")})

    @pytest.mark.parametrize(
        "symbol", ["", "S A", "S:*", "a,b", "x" * 129, "S:\n", "\x7f", "S\ud800"]
    )
    def test_symbol(self, router, symbol):
        with pytest.raises(EventError, match="symbol"):
            router.publish(quote(symbol))
        assert router.counters().published == 0

    def test_kind_and_payload(self, router):
        Peer(router, ("*", "order"))
        refused = [("nonsense", {}), ("quote", {}), ("order", 5), ("order", {"x": object()})]
        for kind, payload in refused:
            with pytest.raises(EventError):
                router.publish(kind, payload)
        with pytest.raises(EventError, match="allowed: Quote"):
            router.publish(5)
        assert router.counters().published == 0

    def test_too_large(self, router):
        Peer(router, ("*", "order"))
        with pytest.raises(EventError, match="allowed: 262144"):
            router.publish("order", {"note": "x" * 300_000})

    def test_timeframe(self):
        with pytest.raises(EventError, match="allowed: 1s"):
            Candle("S:A", timeframe="7m", open=1, high=1, low=1, close=1)

    def test_event_type(self, router):
        with pytest.raises(SubscriptionError, match="nonsense"):
            Peer(router, ("*", "nonsense"))


def test_the_time_of_the_newest_event(router):
    assert router.last_event_time() == 0
    router.publish(Quote("S:A", bid=1, ask=2, time=20))
    router.publish(Quote("S:B", bid=1, ask=2, time=10))
    assert router.last_event_time() == 20


# --------------------------------------------------------------------- lossless


def test_a_lossless_router_queues_what_others_conflate():
    router = Router(clock=Clock(START), lossless=True)
    peer = Peer(router, ("*", "quote"), ("*", "candle@1m"), room=0)
    router.publish(quote("S:A", 0.0))
    drain(router)
    for bid in (1.0, 2.0, 3.0):
        router.publish(quote("S:A", bid))
        router.publish(candle("S:A", bid, closed=False))
    drain(router)
    assert router.throttled == 0
    peer.release()
    drain(router)
    got = [(m["id"], m["type"]) for m in peer.read()]
    assert got == [(f"evt_{n}", "candle" if n > 1 and n % 2 else "quote") for n in range(1, 8)]


def test_a_lossless_router_closes_who_is_over_its_bound():
    router = Router(clock=Clock(START), lossless=True, outbox_bytes=4096)
    peer = Peer(router, ("*", "quote"), room=0)
    for bid in range(100):
        router.publish(quote("S:A", bid))
        drain(router)
    assert peer.sink.overflowed


class TestApart:
    """What came from a client is not offered to it again."""

    def test_events_and_quotes(self, router):
        apart = Peer(router, ("*", "signal"), ("*", "quote"))
        other = Peer(router, ("*", "signal"), ("*", "quote"))
        router.publish("signal", {"n": 1})
        assert router.publish_apart(Event("signal", {"n": 2}), apart.outbox) == 2
        router.publish("signal", {"n": 3})
        router.publish_apart(quote("S:A"), apart.outbox)
        router.publish(quote("S:B"))
        drain(router)
        assert [m["id"] for m in other.read()] == [f"evt_{n}" for n in (1, 2, 3, 4, 5)]
        assert [m["id"] for m in apart.read()] == ["evt_1", "evt_3", "evt_5"]

    def test_one_that_fails_gives_its_id_to_an_event_that_is_offered(self, router):
        apart = Peer(router, ("*", "signal"))
        with pytest.raises(EventError):
            router.publish_apart(Event("coffee", {}), apart.outbox)
        router.publish("signal", {})
        drain(router)
        assert [m["id"] for m in apart.read()] == ["evt_1"]

    def test_candles_that_a_quote_closes_are_offered_to_all(self, kept):
        router = Router(clock=Clock(START), recorder=kept, candles=("1s", "1m"))
        apart = Peer(router, ("*", "quote"), ("*", "candle@1s"), ("*", "candle@1m"))
        at = [START + n * MINUTE for n in (1, 2, 3)]
        router.publish(Quote("S:A", bid=1, ask=2, time=at[0]))
        router.publish_apart(Quote("S:A", bid=3, ask=4, time=at[1]), apart.outbox)
        router.publish(Quote("S:A", bid=5, ask=6, time=at[2]))
        drain(router)
        found = [m for m in apart.read() if m["type"] == "quote" or m["bar"]["closed"]]
        closed = [m["bar"]["timeframe"] for m in found if m["type"] == "candle"]
        assert [m["quote"]["bid"] for m in found if m["type"] == "quote"] == ["1", "5"]
        assert sorted(closed) == ["1m", "1m", "1s", "1s"]

    def test_a_closed_outbox(self, router):
        peer = Peer(router)
        peer.outbox.close()
        with pytest.raises(ValueError, match="closed"):
            router.publish_apart(quote("S:A"), peer.outbox)
