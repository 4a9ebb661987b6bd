"""Candles built from quotes, against a group-by that knows nothing of it."""

from __future__ import annotations

import numpy as np
import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import QUOTE_DTYPE
from fastrouter.core.event import Candle, Quote
from fastrouter.core.router import Router
from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.errors import EventError

from .market import ALL, Closed, as_groups, grouped, quotes, ticks
from .peer import MINUTE, SECOND, START, Peer, body, candle, drain

LAST = 2**62  # ns: after everything
DAY = 24 * 60 * MINUTE


def building(*timeframes, **options):
    """A router that builds candles, at START, and the closed ones it publishes."""
    closed = Closed()
    options = {"candles": timeframes or ALL, "recorder": closed, **options}
    return Router(clock=Clock(START), **options), closed


def singly(router, rows):
    for row in rows.tolist():
        symbol, time, bid, ask, last, bid_size, ask_size = row
        router.publish(
            Quote(symbol.decode(), bid=bid, ask=ask, last=last, bid_size=bid_size,
                  ask_size=ask_size, time=time)
        )  # fmt: skip


@pytest.mark.parametrize("block", [1, 64, 5000])
@pytest.mark.parametrize("with_volumes", [False, True])
@pytest.mark.parametrize("price", ["last", "mid"])
def test_candles_are_those_of_a_group_by(block, with_volumes, price):
    rng = np.random.default_rng(block)
    rows = ticks(rng, 5000, gap=60 * SECOND)  # four days
    volumes = rng.integers(0, 1000, 5000) / 8 if with_volumes else None
    router, closed = building(price=price)
    for at in range(0, len(rows), block):
        part = slice(at, at + block)
        router.publish_batch(rows[part], volumes=None if volumes is None else volumes[part])
    router.close_candles(LAST)
    prices = rows["last"] if price == "last" else np.round((rows["bid"] + rows["ask"]) / 2, 10)
    for timeframe in ALL:
        assert as_groups(closed.rows, timeframe) == grouped(rows, timeframe, volumes, prices)
    assert router.late == 0
    assert router.next_close is None


@pytest.mark.parametrize("gap", [SECOND // 50, SECOND, 3 * MINUTE])
def test_every_timeframe_there_is(gap):
    """3m and 5m: ends that do not nest."""
    rows = ticks(np.random.default_rng(7), 3000, gap=gap)
    router, closed = building(*TIMEFRAMES)
    router.publish_batch(rows)
    router.close_candles(LAST)
    for timeframe in TIMEFRAMES:
        assert as_groups(closed.rows, timeframe) == grouped(rows, timeframe)
    assert router.candles == tuple(TIMEFRAMES)


@pytest.mark.parametrize("timeframes", [("3m", "5m"), ("5m",), ("1d", "1s")])
def test_a_choice_of_timeframes(timeframes):
    rows = ticks(np.random.default_rng(8), 3000, gap=20 * SECOND)
    router, closed = building(*timeframes)
    router.publish_batch(rows)
    router.close_candles(LAST)
    for timeframe in timeframes:
        assert as_groups(closed.rows, timeframe) == grouped(rows, timeframe)
    assert set(closed.rows["timeframe"]) == {name.encode() for name in timeframes}


def slowly(rows, timeframe):
    """The rule for times out of order, said again: the late ones, and what the others make."""
    length, late = TIMEFRAMES[timeframe], 0
    made, begun, newest = {}, {}, {}
    for symbol, time, *_, last, _, _ in rows.tolist():
        at = time // length * length
        if at < begun.get(symbol, at):
            late += 1
            continue
        begun[symbol] = at
        found = made.setdefault((symbol, at), [last, last, last, last, 0.0])
        if time >= newest.get(symbol, time):
            newest[symbol] = time
            found[3] = last
        found[1], found[2] = max(found[1], last), min(found[2], last)
        found[4] += 1
    return {key: tuple(found) for key, found in made.items()}, late


@pytest.mark.parametrize("seed", range(6))
def test_out_of_order_and_late(seed):
    rng = np.random.default_rng(seed)
    rows = ticks(rng, 4000, symbols=3, gap=2 * SECOND)
    rows["time"] += rng.integers(-3, 4, 4000) * 10 ** rng.integers(6, 12, 4000)
    router, closed = building()
    router.publish_batch(rows)
    router.close_candles(LAST)
    late = 0
    for timeframe in ALL:
        made, missed = slowly(rows, timeframe)
        assert as_groups(closed.rows, timeframe) == made
        late += missed
    assert router.late == late > 0


def test_the_same_however_it_is_published():
    rng = np.random.default_rng(11)
    rows = ticks(rng, 3000)
    rows["time"] += rng.integers(-3 * SECOND, 3 * SECOND, 3000)
    streams = []
    for publish in (lambda router, rows: router.publish_batch(rows), singly):
        router, _ = building()
        peer = Peer(router, *(("*", f"candle@{name}") for name in ALL), ("*", "quote"))
        for at in range(0, 3000, 300):
            publish(router, rows[at : at + 300])
            router.flush(1000)
        streams.append([m for m in peer.read() if m["type"] == "quote" or m["bar"]["closed"]])
        assert len(streams[0]) > 5000
    assert [without_id(m) for m in streams[0]] == [without_id(m) for m in streams[1]]


def without_id(message):
    """Forming candles, which come at the end of a publish, move ids and sequence numbers."""
    found = {**message, "id": None}
    if "bar" in found:
        found["bar"] = {**found["bar"], "seq": None}
    return found


@pytest.mark.parametrize("start", [-3 * DAY - 1, -SECOND, -(2**63) + 3 * DAY, 2**63 - 1 - 9 * DAY])
def test_times_before_the_epoch_and_far_from_it(start):
    rows = ticks(np.random.default_rng(3), 2000, gap=5 * MINUTE, start=start)
    router, closed = building()
    router.publish_batch(rows)
    router.close_candles(2**63 - 1)
    for timeframe in ALL:
        assert as_groups(closed.rows, timeframe) == grouped(rows, timeframe)


def test_times_at_the_ends_of_time_make_no_candle():
    router, closed = building(statistics=True)
    rows = quotes(("S:A", 0, 1.0), ("S:A", 0, 2.0))
    rows["time"] = -(2**63), 2**63 - 1
    router.publish_batch(rows)
    router.close_candles(2**63 - 1)
    assert router.counters().published == 2
    assert not closed.records
    assert router.day("S:A") is None


def test_a_mid_that_is_no_number_makes_no_candle():
    router, closed = building(price="mid")
    router.publish(Quote("S:A", bid=-1.7e308, ask=1.7e308, last=0.0))
    router.close_candles(LAST)
    assert not closed.records


def test_symbols_of_full_length_are_kept_apart():
    names = ["S:" + "A" * 29 + end for end in "BC"] + ["S:" + "A" * 126]
    router, closed = building("1m")
    for number, name in enumerate(names):
        router.publish(Quote(name, bid=number, ask=number, time=START))
    router.close_candles(LAST)
    found = [(r.payload.symbol, r.payload.close) for r in closed.records]
    assert found == [(name, float(number)) for number, name in enumerate(names)]


def test_a_quote_without_a_time_counts_when_it_came():
    router, closed = building("1m")
    router.publish(Quote("S:A", bid=1, ask=1))
    router.close_candles(LAST)
    assert [record.payload.time for record in closed.records] == [START]


class TestTheClock:
    def test_closes_what_is_silent(self):
        router, closed = building("1s", "1m")
        router.publish_batch(quotes(("S:A", 0.2, 5.0), ("S:B", 0.3, 7.0)))
        assert router.next_close == SECOND
        router.close_candles(SECOND - 1)
        assert not closed.records
        router.close_candles(SECOND)
        assert closed.rows[["symbol", "timeframe", "close", "closed"]].tolist() == [
            (b"S:A", b"1s", 5.0, True),
            (b"S:B", b"1s", 7.0, True),
        ]
        assert router.next_close == MINUTE
        router.publish_batch(quotes(("S:A", 0.9, 6.0)))
        assert router.late == 1, "a closed candle does not open again"
        router.publish_batch(quotes(("S:A", 0.8, 4.0)))
        assert router.late == 2
        router.close_candles(MINUTE)
        assert closed.rows["close"].tolist() == [5.0, 7.0, 6.0, 7.0]
        assert closed.rows["low"].tolist() == [5.0, 7.0, 4.0, 7.0]
        assert router.next_close is None

    def test_a_candle_closes_before_the_quote_that_ends_it(self):
        router, _ = building("1s", "1m")
        shown = ("timeframe", "close", "closed")
        peer = Peer(router, ("*", "quote"), ("*", "candle@1s"), ("*", "candle@1m"))
        router.publish_batch(quotes(("S:A", 0.5, 5.0), ("S:A", 60, 6.0), ("S:A", 61, 7.0)))
        drain(router)
        got = [
            m["quote"]["last"] if "quote" in m else tuple(map(m["bar"].get, shown))
            for m in peer.read()
        ]
        assert got == [
            "5", ("1s", "5", True), ("1m", "5", True), "6", ("1s", "6", True), "7",
            ("1s", "7", False), ("1m", "7", False),
        ]  # fmt: skip

    def test_next_close_is_never_late(self):
        rng = np.random.default_rng(2)
        rows = ticks(rng, 2000, gap=3 * SECOND)
        router, closed = building("1s", "5m")
        for row in range(len(rows)):
            now = int(rows["time"][row])
            while router.next_close is not None and router.next_close <= now:
                at = router.next_close
                before = len(closed.records)
                router.close_candles(at - 1)
                assert len(closed.records) == before, "there was one to close earlier"
                router.close_candles(at)
            router.publish_batch(rows[row : row + 1])
        for candle_time, timeframe in closed.rows[["time", "timeframe"]].tolist():
            assert candle_time % TIMEFRAMES[timeframe.decode()] == 0

    def test_a_clock_that_goes_back_closes_nothing(self):
        router, closed = building("1s")
        router.publish_batch(quotes(("S:A", 10, 5.0)))
        for now in (11 * SECOND, 5 * SECOND, -5 * SECOND):
            router.close_candles(now)
        assert len(closed.records) == 1


class TestFormingCandles:
    """The first at once, then at most one a second and topic, and the last always."""

    def bars(self, peer):
        return [(b["timeframe"], b["close"], b["closed"], b["seq"]) for b in map(body, peer.read())]

    def publish(self, router, price, seconds):
        """At `seconds` of the clock and of the quote."""
        router.clock.set(START + round(seconds * SECOND))
        router.publish(Quote("S:A", bid=price, ask=price, time=router.clock.time_ns()))

    def test_the_first_and_the_last_of_a_second(self):
        router, _ = building("1m", "1h")
        peer = Peer(router, ("*", "candle@1m"), ("*", "candle@1h"))
        for tenth in range(8):
            self.publish(router, tenth, tenth / 10)
        drain(router)
        assert self.bars(peer) == [("1m", "0", False, 1), ("1h", "0", False, 1)]
        assert router.next_due == START + SECOND
        router.clock.set(START + SECOND)
        drain(router)
        assert self.bars(peer) == [("1m", "7", False, 2), ("1h", "7", False, 2)]
        assert router.next_due is None
        router.clock.set(START + 5 * SECOND)
        drain(router)
        assert self.bars(peer) == [], "nothing changed"

    def test_after_a_silence_at_once(self):
        router, _ = building("1m")
        peer = Peer(router, ("*", "candle@1m"))
        for seconds in (0, 1, 2.5):
            self.publish(router, seconds, seconds)
            drain(router)
        assert [close for _, close, *_ in self.bars(peer)] == ["0", "1", "2.5"]

    def test_at_most_one_a_second(self):
        router, _ = building("1m")
        peer = Peer(router, ("*", "candle@1m"))
        for hundredth in range(1000):
            self.publish(router, hundredth, hundredth / 100)
            drain(router)
        assert 10 <= len(self.bars(peer)) <= 11

    def test_the_owner_is_woken_for_the_last(self):
        """Though nobody waits: nobody subscribed to what was published."""
        router, _ = building("1m")
        woken = []
        router.wake = lambda: woken.append(router.next_due)
        self.publish(router, 1, 0)
        assert woken == [None], "to look at next_close"
        drain(router)
        self.publish(router, 2, 0.5)
        assert woken == [None, START + SECOND]
        self.publish(router, 2, 0.6)
        assert len(woken) == 2

    def test_a_wake_that_could_not_is_tried_again(self):
        router, _ = building("1m")
        calls = []
        router.wake = lambda: calls.append(1)  # None: it could
        self.publish(router, 1, 0)
        router.wake = lambda: bool(calls.append(2))
        drain(router)
        for tenth in (1, 2, 3):
            self.publish(router, 1, tenth / 10)
        assert calls == [1, 2, 2, 2]

    def test_a_closed_candle_needs_no_forming_one(self):
        router, _ = building("1s")
        peer = Peer(router, ("*", "candle@1s"))
        self.publish(router, 1, 0.2)
        self.publish(router, 2, 0.4)
        router.close_candles(START + SECOND)
        router.clock.set(START + 5 * SECOND)
        drain(router)
        assert self.bars(peer) == [("1s", "1", False, 1), ("1s", "2", True, 2)]

    def test_who_comes_later_gets_one_as_a_snapshot(self):
        router, _ = building("1m")
        self.publish(router, 1, 0)
        peer = Peer(router, ("*", "candle@1m"))
        drain(router)
        (message,) = peer.read()
        assert message["snapshot"] is True
        assert body(message)["close"] == "1"


class TestFromOutside:
    def test_the_last_that_came_too_soon_arrives(self):
        router = Router(clock=Clock(START))
        peer = Peer(router, ("*", "candle@1m"))
        for tenth in range(4):
            router.clock.set(START + tenth * SECOND // 10)
            router.publish(candle("S:A", float(tenth), closed=False))
        drain(router)
        assert [body(m)["close"] for m in peer.read()] == ["0"]
        assert router.next_due == START + SECOND
        router.clock.set(router.next_due)
        drain(router)
        (message,) = peer.read()
        assert (body(message)["close"], body(message)["seq"]) == ("3", 5)
        assert router.next_due is None
        assert router.counters().throttled == 3

    def test_a_closed_one_takes_its_place(self):
        router = Router(clock=Clock(START))
        peer = Peer(router, ("*", "candle@1m"))
        for number, closed in enumerate([False, False, True]):
            router.publish(candle("S:A", float(number), closed=closed))
        router.clock.set(START + 9 * SECOND)
        drain(router)
        assert [body(m)["close"] for m in peer.read()] == ["0", "2"]

    def test_they_pass_and_none_are_built_for_their_topic(self):
        router, closed = building("1s", "1m")
        router.publish_batch(quotes(("S:A", 0.5, 5.0), ("S:B", 0.5, 5.0)))
        router.publish(Candle("S:A", timeframe="1s", open=1, high=1, low=1, close=1, time=-SECOND))
        router.publish_batch(quotes(("S:A", 1.5, 6.0), ("S:A", 59, 7.0), ("S:B", 59, 7.0)))
        router.close_candles(LAST)
        found = closed.rows[["symbol", "timeframe", "close"]].tolist()
        assert found == [
            (b"S:A", b"1s", 1.0),
            (b"S:B", b"1s", 5.0),
            (b"S:A", b"1m", 7.0),
            (b"S:B", b"1s", 7.0),
            (b"S:B", b"1m", 7.0),
        ]

    def test_those_that_came_before_the_first_quote(self):
        router, closed = building("1s", "1m")
        router.publish(Candle("S:A", timeframe="1m", open=1, high=1, low=1, close=1, closed=False))
        router.publish_batch(quotes(("S:A", 0.5, 5.0)))
        router.close_candles(LAST)
        assert closed.rows["timeframe"].tolist() == [b"1s"]

    def test_all_of_a_symbol(self):
        router, closed = building("1s")
        router.publish(Candle("S:A", timeframe="1s", open=1, high=1, low=1, close=1, closed=False))
        rows = ticks(np.random.default_rng(1), 50)
        rows["symbol"] = b"S:A"
        router.publish_batch(rows)
        router.close_candles(LAST)
        assert not closed.records
        assert router.late == 0


# What is refused


def test_none_are_built_unless_asked_for():
    router = Router(clock=Clock(START))
    router.publish_batch(ticks(np.random.default_rng(1), 100))
    assert (router.candles, router.price, router.next_close) == ((), "last", None)
    assert router.counters().events["candle"] == 0
    assert router.day("S:SYM0000") is None


@pytest.mark.parametrize("timeframes", [("1x",), ("1s", "1s"), "1m", (60,)])
def test_wrong_timeframes(timeframes):
    with pytest.raises(ValueError, match=r"allowed|repeat"):
        Router(clock=Clock(START), candles=timeframes)


def test_a_wrong_price():
    with pytest.raises(ValueError, match="price is 'bid'; allowed: last, mid"):
        Router(clock=Clock(START), price="bid")


@pytest.mark.parametrize(
    ("volumes", "why"),
    [
        ([1.0], r"the shape \(1,\); allowed: \(2,\)"),
        ([[1.0], [2.0]], r"the shape \(2, 1\)"),
        ([1.0, float("nan")], "row 1: volume is nan"),
        ([-1.0, 1.0], "row 0: volume is -1.0; allowed: finite numbers from 0"),
        (["x", "y"], "no numbers"),
        ([object(), 1], "no numbers"),
    ],
)
def test_wrong_volumes(volumes, why):
    router, _ = building()
    with pytest.raises(EventError, match=why):
        router.publish_batch(quotes(("S:A", 1, 1.0), ("S:A", 2, 1.0)), volumes)
    assert router.counters().published == 0


def test_volumes_of_candles():
    router, _ = building()
    array = Closed().rows
    with pytest.raises(EventError, match="volumes go with quotes"):
        router.publish_batch(array, [])


def test_volumes_of_no_quotes_and_of_other_numbers():
    router, closed = building("1m")
    router.publish_batch(np.zeros(0, QUOTE_DTYPE), [])
    router.publish_batch(quotes(("S:A", 1, 1.0), ("S:A", 2, 1.0)), np.array([1, 0, 3], "i4")[::2])
    router.close_candles(LAST)
    assert closed.rows["volume"].tolist() == [4.0]
