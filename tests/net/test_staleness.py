"""Who is told what, with a watchdog of our own; the loop's timer is called by hand."""

from __future__ import annotations

import pytest

from fastrouter import Quote
from fastrouter.core.watchdog import Watchdog
from fastrouter.net.staleness import Staleness


class Script:
    """A watchdog that finds what it is told to."""

    def __init__(self, *scans) -> None:
        self.scans = list(scans)
        self.times: list[int] = []

    stale = 0

    def silent(self, now):
        return self.silences

    def scan(self, now):
        self.times.append(now)
        return self.scans.pop(0)


class Notices:
    def __init__(self) -> None:
        self.told: list[tuple] = []

    def notice(self, symbol, event_type, kind, /, **fields):
        self.told.append((symbol, event_type, kind, fields))


async def test_each_silence_is_told_as_the_wire_has_it():
    notices = Notices()
    watchdog = Script(([("S:A", "quote", 61_234_567_890)], [("S:B", "quote", 90_000_000_000)]))
    staleness = Staleness(notices, watchdog, 60)
    staleness.scan()
    staleness.close()
    assert notices.told == [
        ("S:A", "quote", "stale", {"symbol": "S:A", "event_type": "quote", "silent_ms": 61_234}),
        ("S:B", "quote", "fresh", {"symbol": "S:B", "event_type": "quote", "silent_ms": 90_000}),
    ]


@pytest.mark.parametrize(("silence", "interval"), [(60, 1.0), (2, 0.5)])
async def test_how_often_it_looks(silence, interval):
    staleness = Staleness(Notices(), Script(), silence)
    assert staleness._interval == interval
    staleness.close()


async def test_it_goes_on_looking_whatever_a_scan_does_and_ends_when_closed():
    watchdog = Script()  # whose first scan raises
    staleness = Staleness(Notices(), watchdog, 60)
    first = staleness._timer
    with pytest.raises(IndexError):
        staleness._turn()
    assert staleness._timer is not first
    staleness.close()
    assert staleness._timer.cancelled()
    assert len(watchdog.times) == 1
    first.cancel()


async def test_sessions_of_the_topic_are_told_on_the_wire(serve, router, open_session):
    server = await serve()
    wire = await open_session(server, "/ws?subscriptions=S:A:quote")
    other = await open_session(server, "/ws?subscriptions=S:B:quote")
    router.publish(Quote("S:A", bid=1, ask=2))
    assert (await wire.message())["type"] == "quote"
    watch = router.watch(1e-9)  # any topic that did not move between two turns of the loop
    stale = await wire.message()
    assert stale.pop("timestamp").endswith("Z")
    assert stale.pop("silent_ms") >= 0
    assert stale == {"type": "stale", "symbol": "S:A", "event_type": "quote"}
    router.publish(Quote("S:A", bid=1, ask=2))
    assert (await wire.message())["type"] == "quote"
    fresh = await wire.message()
    assert (fresh["type"], fresh["symbol"]) == ("fresh", "S:A")
    watch.close()
    router.publish(Quote("S:B", bid=1, ask=2))
    assert (await other.message())["quote"]["symbol"] == "S:B"


class Newcomer:
    def __init__(self, *symbols: str) -> None:
        self.symbols = symbols
        self.told: list[str] = []

    def matches(self, symbol, event_type):
        return symbol in self.symbols

    def send(self, kind, **fields):
        self.told.append(f"{kind} {fields['symbol']} {fields['silent_ms']}")


async def test_who_comes_later_is_told_once_a_portion_at_a_time(monkeypatch):
    monkeypatch.setattr("fastrouter.net.staleness.PORTION", 2)
    watchdog = Script(*[([], [])] * 4)
    watchdog.silences = [(symbol, "quote", 2_000_000) for symbol in "ABCD"]
    staleness = Staleness(Notices(), watchdog, 60)
    early, late = Newcomer("A"), Newcomer("A", "C", "D")
    staleness.greet(early)  # nothing is stale
    watchdog.stale = staleness._watchdog.stale = 4
    staleness.greet(late)
    staleness.scan()
    assert late.told == ["stale A 2", "stale C 2"]
    for _ in range(3):
        staleness.scan()
    assert late.told == ["stale A 2", "stale C 2", "stale D 2"]
    assert early.told == []
    staleness.close()
    staleness.greet(early)
    assert not staleness._newcomers


async def test_a_session_that_comes_later_learns_what_is_stale(serve, router, open_session):
    server = await serve()
    router.publish(Quote("S:A", bid=1, ask=2))
    router.publish(Quote("C:A", bid=1, ask=2))
    watch = router.watch(3600.0)
    watch._watchdog = Watchdog(router, 1)
    watch._watchdog.scan(0)
    watch._watchdog.scan(1)
    assert router.stale == 2
    for query in ("S:*:quote", "S:A:quote&since=evt_0"):
        wire = await open_session(server, f"/ws?subscriptions={query}")
        messages = [await wire.message()]
        while messages[-1]["type"] != "quote":
            messages.append(await wire.message())
        assert messages[-1]["snapshot"]
        watch.scan()
        stale = await wire.message()
        assert (stale["type"], stale["symbol"]) == ("stale", "S:A")
    watch.close()
