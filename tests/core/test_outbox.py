"""What a session may see, and how it is brought up to date."""

from __future__ import annotations

import random
import re

import orjson
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dialect import Dialect
from fastrouter.core.event import Event
from fastrouter.core.record import Record
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.errors import EventError

from .peer import MINUTE, START, Kept, Peer, body, candle, drain, quote


def orders(peer: Peer) -> list[int]:
    return [m["order"]["n"] for m in peer.read() if m["type"] == "order"]


class TestAllow:
    EVERYTHING = (("*", "order"), ("S:*", "order"), ("*", "quote"), ("*", "signal"))

    def publish(self, router: Router) -> None:
        for n, account in enumerate([None, "a", "b", "c"]):
            router.publish("order", {"n": n}, account=account)
        router.publish(Event("order", {"n": 4}, symbol="S:A", account="a"))
        router.publish("order", {"n": 5, "account_id": "b", "symbol": "S:A"})
        drain(router)

    @pytest.mark.parametrize(
        ("accounts", "seen"),
        [
            (None, [0, 1, 2, 3, 4, 5]),
            ([], []),
            (["a"], [1, 4]),
            ({"b", "default"}, [0, 2, 5]),
            (["nobody"], []),
        ],
    )
    def test_events_of_an_account_reach_those_who_may_see_it(self, router, accounts, seen):
        peer = Peer(router, *self.EVERYTHING)
        other = Peer(router, *self.EVERYTHING)
        peer.outbox.allow(accounts)
        self.publish(router)
        assert orders(peer) == seen
        assert orders(other) == [0, 1, 2, 3, 4, 5]

    def test_what_belongs_to_nobody_reaches_all(self, router):
        peer = Peer(router, *self.EVERYTHING)
        peer.outbox.allow([])
        router.publish("signal", {}, account="a")
        router.publish(quote("S:A"))
        drain(router)
        assert [m["type"] for m in peer.read()] == ["signal", "quote"]

    def test_it_holds_for_what_comes_after(self, router):
        peer = Peer(router, *self.EVERYTHING)
        router.publish("order", {"n": 1}, account="a")
        peer.outbox.allow(["b"])
        router.publish("order", {"n": 2}, account="a")
        router.publish("order", {"n": 3}, account="b")
        peer.outbox.allow(None)
        router.publish("order", {"n": 4}, account="a")
        drain(router)
        assert orders(peer) == [1, 3, 4]

    def test_a_blocked_session_keeps_only_what_it_may_see(self, router):
        peer = Peer(router, *self.EVERYTHING, room=0)
        peer.outbox.allow(["a"])
        router.publish(quote("S:A"))
        drain(router)
        self.publish(router)
        peer.release()
        drain(router)
        assert orders(peer) == [1, 4]

    @pytest.mark.parametrize("accounts", ["ab", [1], 5])
    def test_what_names_no_accounts(self, router, accounts):
        peer = Peer(router, *self.EVERYTHING)
        with pytest.raises(TypeError):
            peer.outbox.allow(accounts)
        self.publish(router)
        assert len(orders(peer)) == 6


ALL = (("*", "quote"), ("*", "candle@1m"), ("*", "order"))


def resume(router: Router, kept: Kept, since: int, *patterns, room: int | None = None) -> Peer:
    """A session that has been brought everything after `since`."""
    peer = Peer(router, room=room)
    peer.outbox.hold()
    peer.outbox.subscribe(patterns)
    peer.outbox.replay(kept.after(since))
    peer.outbox.go_live()
    return peer


def ids(peer: Peer) -> list[int]:
    return [int(m["id"][4:]) for m in peer.read()]


class TestReplay:
    @pytest.mark.parametrize("decimals", ["string", "number"])
    def test_a_replayed_frame_is_the_live_one_to_the_byte(self, router, kept, decimals):
        dialect = load("trading-api", decimals=decimals)
        sinks = [MemorySink(), MemorySink()]
        live = router.attach(sinks[0], dialect)
        live.subscribe(ALL[1:])
        for n in range(3):
            router.publish(candle("S:A", n + 0.25, time=START + n * MINUTE))
            router.publish("order", {"event": "ORDER_FILLED", "n": n, "x": 1e22, "y": float("nan")})
            router.publish("order", {"note": "x" * 100_000})
        drain(router)
        late = router.attach(sinks[1], dialect)
        late.hold()
        late.subscribe(ALL[1:])
        assert late.replay(kept.records) == len(sinks[0].data) > 300_000
        drain(router)
        assert sinks[1].data == sinks[0].data

    def test_a_stored_record_is_the_same_frame(self, router, kept):
        """As after a restart: another router, records made from what a disk gave back."""
        live = Peer(router, *ALL[1:])
        router.publish("order", {"n": 1}, symbol="S:A", time=START + 1, account="a")
        router.publish(candle("S:A", 1.5))
        drain(router)
        stored = [
            Record(
                kind=r.kind, event_type=r.event_type, symbol=r.symbol, account=r.account,
                payload=r.payload, id=r.id, seq=r.seq, time=r.time,
            )
            for r in kept.records
        ]  # fmt: skip
        late = Peer(Router(clock=Clock(START)), *ALL[1:])
        late.outbox.hold()
        late.outbox.replay(stored)
        late.outbox.flush()
        assert late.sink.data == live.sink.data

    def test_replay_then_snapshots_then_live(self, router, kept):
        for n in range(3):
            router.publish(quote("S:A", float(n)))
            router.publish("order", {"n": n})
            router.publish(candle("S:A", float(n), time=START + n * MINUTE))
        late = resume(router, kept, 5, *ALL)
        late.outbox.control(b'{"type":"ping","id":"evt_0"}')
        router.publish("order", {"n": 3})
        drain(router)
        router.publish(quote("S:A", 9.0))
        drain(router)
        got = [(m["type"], int(m["id"][4:]), m.get("snapshot", False)) for m in late.read()]
        assert got == [
            ("ping", 0, False),
            ("candle", 6, False),
            ("order", 8, False),
            ("candle", 9, False),
            ("order", 10, False),
            ("quote", 7, True),
            ("candle", 9, True),
            ("quote", 11, False),
        ]

    def test_nothing_reaches_a_held_session_but_control_and_replay(self, router, kept):
        peer = Peer(router, *ALL)
        peer.outbox.hold()
        peer.outbox.hold()
        router.publish(quote("S:A"))
        router.publish("order", {"n": 1})
        drain(router)
        assert peer.sink.writes == 0
        assert not peer.outbox.waiting
        peer.outbox.control(b'{"type":"ping"}')
        assert peer.outbox.waiting
        drain(router)
        assert [m["type"] for m in peer.read()] == ["ping"]
        assert peer.sink.drains == 1
        assert peer.outbox.held
        peer.outbox.replay(kept.records)
        drain(router)
        assert [m["type"] for m in peer.read()] == ["order"]
        assert peer.sink.drains == 2
        peer.outbox.go_live()
        peer.outbox.go_live()
        drain(router)
        assert [m.get("snapshot") for m in peer.read()] == [True]
        assert not peer.outbox.held
        assert not peer.outbox.waiting
        assert peer.sink.drains == 2

    def test_only_what_it_is_subscribed_to_and_may_see(self, router, kept):
        for n in range(6):
            router.publish("order", {"n": n}, symbol="SC"[n % 2] + ":A", account="ab"[n // 3])
        peer = Peer(router)
        peer.outbox.hold()
        assert peer.outbox.replay(kept.records) == 0
        peer.outbox.subscribe([("S:*", "order"), ("S:A", "order"), ("*", "signal")])
        peer.outbox.allow(["b"])
        peer.outbox.replay(kept.records)
        drain(router)
        assert orders(peer) == [4]

    def test_what_a_dialect_does_not_send_is_passed_over(self, router, kept):
        router.publish("risk", {"n": 1})
        peer = Peer(router, ("*", "risk"))
        peer.outbox.hold()
        assert peer.outbox.replay(kept.records) == 0

    def test_encoded_once_for_all_who_resume(self, router, kept):
        for n in range(10):
            router.publish("order", {"n": n})
            router.publish(candle("S:A", time=START + n * MINUTE))
        before = router.encoder.encoded
        peers = [resume(router, kept, 0, ("*", "order"), ("*", "candle@1m")) for _ in range(20)]
        assert router.encoder.encoded == before + 20
        drain(router)
        assert [len(ids(peer)) for peer in peers] == [21] * 20

    def test_holding_forgets_what_the_caller_brings(self, router, kept):
        """A session that asks for more in mid-stream, blocked or not: nothing comes twice."""
        blocked, free = Peer(router, *ALL, room=0), Peer(router, *ALL)
        router.publish(quote("S:A", 1.0))
        drain(router)
        for n in range(3):
            router.publish("order", {"n": n})
            router.publish(quote("S:A", 2.0))
        for peer in (blocked, free):
            peer.outbox.hold()
            peer.outbox.replay(kept.records)
            peer.outbox.go_live()
        blocked.release()
        drain(router)
        assert ids(blocked) == ids(free) == [1, 2, 4, 6, 7]

    def test_replayed_bytes_do_not_count_against_the_bound(self, kept):
        router = Router(clock=Clock(START), recorder=kept, outbox_bytes=10_000)
        for n in range(30):
            router.publish("order", {"n": n, "note": "x" * 1000})
        peer = resume(router, kept, 0, *ALL, room=0)
        assert peer.outbox.backlog > 30_000
        for n in range(30, 38):
            router.publish("order", {"n": n, "note": "x" * 1000})
        drain(router)
        assert not peer.sink.overflowed
        peer.release()
        drain(router)
        assert orders(peer) == list(range(38))
        peer.sink.give(0)
        for _ in range(20):
            router.publish("order", {"note": "x" * 1000})
            drain(router)
        assert peer.sink.overflowed

    def test_a_held_session_can_be_over_its_bound_and_close(self, router, kept):
        router.publish("order", {"n": 1})
        flooded, closed, broken = (Peer(router, *ALL, room=0) for _ in range(3))
        for peer in (flooded, closed, broken):
            peer.outbox.hold()
            peer.outbox.replay(kept.records)
        drain(router)
        for _ in range(1100):
            flooded.outbox.control(b"x" * 1000)
        assert flooded.sink.overflowed
        assert flooded.outbox.replay(kept.records) == 0
        flooded.outbox.go_live()
        closed.outbox.close()
        drain(router)
        assert not flooded.outbox.waiting
        for method in (closed.outbox.hold, closed.outbox.go_live, lambda: closed.outbox.replay([])):
            with pytest.raises(ValueError, match="closed"):
                method()

    def test_unsubscribed_while_held(self, router, kept):
        router.publish("order", {"n": 1})
        router.publish(quote("S:A"))
        peer = Peer(router, *ALL)
        drain(router)
        peer.read()
        peer.outbox.hold()
        peer.outbox.unsubscribe([("*", "order"), ("*", "quote")])
        assert peer.outbox.replay(kept.records) == 0
        peer.outbox.go_live()
        drain(router)
        assert peer.read() == []

    def test_only_a_held_session_is_replayed_to(self, router):
        peer = Peer(router, *ALL)
        with pytest.raises(ValueError, match="not held"):
            peer.outbox.replay([])

    def test_a_record_of_nonsense(self, router):
        def record(**fields) -> Record:
            usual = {"kind": "order", "event_type": "order", "symbol": "S:A", "account": ""}
            return Record(**{**usual, **fields}, payload={}, id=1, seq=1, time=0)

        peer = Peer(router, *ALL)
        peer.outbox.hold()
        with pytest.raises(EventError):
            peer.outbox.replay([record(symbol="a b")])
        with pytest.raises(ValueError, match="nonsense"):
            peer.outbox.replay([record(event_type="nonsense")])
        with pytest.raises(TypeError):
            peer.outbox.replay([5])


class Tagged(Dialect):
    """Says which envelope it is; has none for risk, and for quotes none in any case."""

    def encode(self, event):
        if event.kind == "risk":
            return None
        return orjson.dumps({"type": self.name, "n": event.payload["n"], "id": f"evt_{event.id}"})


class TestSecondDialect:
    """A session that gets some of its events in another envelope than its own."""

    SECOND = Tagged("second")

    def shapes(self, peer: Peer) -> list[tuple[str, int]]:
        return [(m["type"], m.get("n") or m[m["type"]]["n"]) for m in peer.read()]

    def publish(self, router, *kinds: str) -> None:
        for n, kind in enumerate(kinds, 1):
            router.publish(kind, {"n": n, "symbol": "S:A"})
        drain(router)

    def test_each_kind_in_the_dialect_it_was_subscribed_in(self, router):
        peer = Peer(router, ("*", "order"))
        peer.outbox.subscribe([("*", "signal"), ("*", "risk")], self.SECOND)
        self.publish(router, "order", "signal", "risk", "job")
        assert self.shapes(peer) == [("order", 1), ("second", 2)]

    def test_matched_in_both_comes_once_in_the_older_dialect(self, router):
        peer = Peer(router, ("*", "order"), ("S:*", "order"))
        peer.outbox.subscribe([("S:A", "order"), ("*", "order")], self.SECOND)
        self.publish(router, "order")
        assert self.shapes(peer) == [("order", 1)]

    def test_of_two_dialects_the_one_that_has_a_message(self, router, kept):
        silent = Tagged("silent")
        peers = [Peer(router), Peer(router)]
        for peer in peers:
            peer.outbox.subscribe([("*", "risk")])  # trading-api has none
            peer.outbox.subscribe([("*", "risk")], silent)
            peer.outbox.subscribe([("*", "risk")], LOUD)
        peers[1].outbox.hold()
        self.publish(router, "risk")
        peers[1].outbox.replay(kept.records)
        drain(router)
        assert [self.shapes(peer) for peer in peers] == [[("loud", 1)]] * 2

    def test_moved_between_two_events(self, router):
        peer = Peer(router, ("*", "order"))
        self.publish(router, "order")
        for patterns in ([("*", "order")], [("*", "order"), ("*", "signal")]):
            peer.outbox.subscribe(patterns, self.SECOND)
            peer.outbox.unsubscribe(patterns)
        self.publish(router, "order", "signal")
        peer.outbox.unsubscribe([("*", "order"), ("S:A", "signal")], self.SECOND)
        self.publish(router, "order", "signal")
        assert self.shapes(peer) == [("order", 1), ("second", 1), ("second", 2), ("second", 2)]

    def test_what_waits_while_blocked_stays_in_its_envelope(self, router):
        peer = Peer(router, ("*", "order"), room=0)
        self.publish(router, "order", "order")
        peer.outbox.subscribe([("*", "order")], self.SECOND)
        peer.outbox.unsubscribe([("*", "order")])
        self.publish(router, "order")
        peer.release()
        drain(router)
        assert self.shapes(peer) == [("order", 1), ("order", 2), ("second", 1)]

    def test_replay_is_in_the_dialect_it_would_have_been(self, router, kept):
        live = Peer(router, ("*", "order"))
        live.outbox.subscribe([("*", "signal")], self.SECOND)
        self.publish(router, "order", "signal", "order", "signal")
        again = Peer(router)
        again.outbox.hold()
        again.outbox.subscribe([("*", "order")])
        again.outbox.subscribe([("*", "signal")], self.SECOND)
        again.outbox.replay(kept.records)
        again.outbox.go_live()
        drain(router)
        assert again.sink.messages() == live.sink.messages() != []

    def test_accounts_hold_there_too(self, router):
        peer = Peer(router)
        peer.outbox.subscribe([("*", "order")], self.SECOND)
        peer.outbox.allow(["b"])
        for n, account in enumerate("ab", 1):
            router.publish("order", {"n": n}, account=account)
        drain(router)
        assert self.shapes(peer) == [("second", 2)]

    @pytest.mark.parametrize("kind", ["quote", "candle@1m"])
    def test_not_for_what_conflates(self, router, kind):
        peer = Peer(router)
        with pytest.raises(ValueError, match="in the outbox's own dialect alone"):
            peer.outbox.subscribe([("*", "order"), ("*", kind)], self.SECOND)
        self.publish(router, "order")
        assert self.shapes(peer) == []

    def test_to_leave_what_nobody_ever_asked_for_in_that_dialect(self, router):
        peer = Peer(router, ("*", "order"))
        before = list(router.encoder.dialects)
        peer.outbox.unsubscribe([("*", "order")], Tagged("never"))
        assert router.encoder.dialects == before
        self.publish(router, "order")
        assert self.shapes(peer) == [("order", 1)]

    def test_own_dialect_by_name_is_own(self, router):
        peer = Peer(router)
        peer.outbox.subscribe([("*", "quote")], peer.outbox.dialect)
        router.publish(quote("S:A"))
        drain(router)
        assert len(peer.read()) == 1


LOUD = type("Loud", (Tagged,), {"encode": lambda self, event: b'{"type":"loud","n":1}'})("loud")


def test_a_closed_outbox_says_so(router):
    outbox = Peer(router).outbox
    assert not outbox.closed
    outbox.close()
    assert outbox.closed


class Client:
    """A client that is cut off now and then, and resumes from the largest id it saw."""

    def __init__(self, router: Router, kept: Kept, patterns: list[tuple[str, str]], interval: int):
        self.router, self.kept, self.patterns = router, kept, patterns
        self.interval = interval  # ns
        self.seen: list[int] = []
        self.last = 0
        self.connect()

    def connect(self) -> None:
        self.peer = Peer(self.router)
        self.peer.outbox.pace(self.interval)
        self.peer.outbox.hold()
        self.peer.outbox.subscribe(self.patterns)
        self.cursor = self.last

    def step(self, page: int) -> None:
        """Bring it the next page; all of it: let it go live."""
        if not self.peer.outbox.held:
            return
        records = self.kept.after(self.cursor)
        if page:
            self.peer.outbox.replay(records[:page])
            self.cursor = max([self.cursor, *(r.id for r in records[:page])])
        else:
            self.peer.outbox.replay(iter(records))
            self.peer.outbox.go_live()

    def read(self, part: float) -> None:
        """What arrived before the line was cut; the rest is lost, half a message perhaps."""
        messages = self.peer.sink.messages()
        for data in messages[: int(part * len(messages))]:
            message = orjson.loads(data)
            if message["type"] == "ping":
                continue
            number = int(message["id"][4:])
            if message["type"] == "order" or (
                message["type"] == "candle"
                and body(message)["closed"]
                and "snapshot" not in message
            ):
                self.seen.append(number)
            self.last = max(self.last, number)

    def cut(self, part: float) -> None:
        self.read(part)
        self.peer.outbox.close()
        self.connect()

    def wanted(self) -> list[int]:
        return [
            r.id
            for r in self.kept.records
            if any(
                r.event_type == event_type
                and re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), r.symbol)
                for pattern, event_type in self.patterns
            )
        ]


@pytest.mark.parametrize("seed", range(12))
def test_the_largest_id_a_client_saw_is_where_it_can_resume(seed):
    """Cut anywhere, live or not, blocked or not: the union is what was published, once each."""
    rng = random.Random(seed)
    kept = Kept()
    router = Router(clock=Clock(START), recorder=kept, outbox_bytes=1 << 18)
    symbols = ["S:A", "S:B", "C:A"]
    patterns = [(p, t) for p in ("*", "S:*", "C:A", "*A") for t in ("quote", "candle@1m", "order")]
    clients = [
        Client(router, kept, rng.sample(patterns, rng.randint(2, 8)), n % 3 * MINUTE)
        for n in range(8)
    ]
    for step in range(2500):
        client, action, symbol = rng.choice(clients), rng.random(), rng.choice(symbols)
        if action < 0.03:
            client.cut(rng.random())
        elif action < 0.12:
            client.step(rng.choice([0, 1, 2, 5, 20]))
        elif action < 0.16:
            client.peer.sink.give(rng.choice([0, 100, 1000, 5000]))
            client.peer.outbox.resume()
        elif action < 0.20:
            client.peer.release()
        elif action < 0.23:
            client.peer.outbox.control(b'{"type":"ping"}')
        elif action < 0.40:
            router.flush(rng.randint(1, 12))
        elif action < 0.60:
            router.publish(quote(symbol, float(step)))
        elif action < 0.80:
            router.publish("order", {"n": step}, symbol=symbol)
        else:
            router.clock.set(START + step * MINUTE // 4)
            router.publish(candle(symbol, float(step), closed=rng.random() < 0.7))
    for client in clients:
        client.step(0)
        client.peer.release()
    drain(router)
    while router.next_due is not None:
        router.clock.set(router.next_due)
        drain(router)
    for client in clients:
        client.read(1.0)
        assert not client.peer.sink.overflowed
        assert client.seen == client.wanted()
    got = router.counters()
    assert sum(got.offered.values()) + got.snapshots + got.replayed == (
        got.delivered + sum(got.conflated.values()) + sum(got.dropped.values())
    )
    assert got.waiting == 0 < got.replayed
