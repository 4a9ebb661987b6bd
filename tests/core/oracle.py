"""What one session must have seen, said slowly: the rules of the lanes, in plain Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from fastrouter.core.clock import Clock
from fastrouter.core.dialect import Dialect
from fastrouter.core.outbox import Outbox
from fastrouter.core.record import Record
from fastrouter.core.sink import MemorySink

Topic = tuple[str, str]  # symbol, event type

#: no framed market event is longer, bytes
LONGEST_MARKET_FRAME = 500


class Published(NamedTuple):
    """One event as the publisher knows it."""

    topic: Topic
    id: int
    seq: int
    lossless: bool
    value: Any  # what tells it from others of its topic
    size: int  # bytes of its frame, at most
    account: str = ""  # whose it is


class Second(Dialect):
    """Another envelope for what is no market event, and none at all for every third."""

    def __init__(self) -> None:
        super().__init__("second")

    def encode(self, event):
        if not self.sends(event.payload["n"]):
            return None
        message = {"type": event.kind, "id": f"evt_{event.id}", event.kind: event.payload}
        return orjson.dumps({**message, "second": True})

    @staticmethod
    def sends(n: int) -> bool:
        return n % 3 != 0


def matches(pattern: Topic, topic: Topic) -> bool:
    expression = re.escape(pattern[0]).replace(r"\*", ".*")
    return pattern[1] == topic[1] and re.fullmatch(expression, topic[0]) is not None


def parse(message: dict[str, Any]) -> tuple[Topic, int, Any]:
    """Topic, id and value of an event on the wire."""
    kind = message["type"]
    number = int(message["id"].removeprefix("evt_"))
    if kind == "quote":
        return (message["quote"]["symbol"], "quote"), number, message["quote"]["bid"]
    if kind == "candle":
        bar = message["bar"]
        return (bar["symbol"], f"candle@{bar['timeframe']}"), number, bar["close"]
    payload = message[kind]
    return (payload["symbol"], kind), number, payload["n"]


@dataclass(eq=False)
class Oracle:
    """A session's outbox, and what is still to come out of it."""

    outbox: Outbox
    sink: MemorySink
    clock: Clock  # by whom it is paced
    strings: bool  # decimals are JSON strings
    bound: int  # bytes
    second: Dialect  # what `others` come in
    dialects: list[Dialect]  # of the router, in the order in which it met them
    patterns: set[Topic] = field(default_factory=set)
    others: set[Topic] = field(default_factory=set)
    controls: list[tuple[int, int]] = field(default_factory=list)  # not seen yet: number, bytes
    lossless: list[Published] = field(default_factory=list)  # offered and not seen yet
    newest: dict[Topic, Published] = field(default_factory=dict)  # conflatable, not seen yet
    offered: dict[int, Published] = field(default_factory=dict)  # conflatable, by id
    snapshots: set[Topic] = field(default_factory=set)  # topics whose first value is one
    seen: dict[Topic, int] = field(default_factory=dict)  # newest sequence number
    accounts: set[str] | None = None  # whose events it may see; None: all
    held: bool = False
    cursor: int = 0  # while held: records before this place need not be replayed, or were
    replayed: set[int] = field(default_factory=set)  # ids
    in_second: set[int] = field(default_factory=set)  # ids of those that come in `second`
    interval: int = 0  # ns between two conflatable events of a topic

    # ------------------------------------------------------------ what happens

    def matched(self, topic: Topic) -> bool:
        return any(matches(pattern, topic) for pattern in self.patterns)

    def wanted(self, event: Published) -> bool:
        """Is the session subscribed to it, and may see it? Notes the dialect it comes in."""
        first = self.matched(event.topic)
        second = any(matches(pattern, event.topic) for pattern in self.others)
        second = second and Second.sends(event.value)
        hidden = event.account and self.accounts is not None and event.account not in self.accounts
        self.in_second.discard(event.id)
        if second and (not first or self.second_is_first()):
            self.in_second.add(event.id)
        return (first or second) and not hidden

    def second_is_first(self) -> bool:
        number = self.dialects.index
        return number(self.second) < number(self.outbox.dialect)

    def published(self, event: Published) -> None:
        if self.held or not self.wanted(event):
            return
        if event.lossless:
            self.lossless.append(event)
            if event.topic in self.snapshots or event.topic in self.newest:
                self.superseded(event.topic)
        else:
            self.offered[event.id] = event
            self.newest[event.topic] = event

    def throttled(self, event: Published) -> None:
        """A forming candle that is offered to nobody: who is owed the topic may get it."""
        if event.topic in self.newest:
            self.offered[event.id] = event

    def superseded(self, topic: Topic) -> None:
        """A closed candle is newer than the owed forming one, which may come or not."""
        self.snapshots.discard(topic)
        self.newest.pop(topic, None)

    def subscribe(self, patterns: list[Topic], values: dict[Topic, Published]) -> None:
        before = {topic for topic in values if self.matched(topic)}
        self.outbox.subscribe(patterns)
        self.patterns.update(patterns)
        if not self.held:
            self.owe({topic: event for topic, event in values.items() if topic not in before})

    def subscribe_others(self, patterns: list[Topic]) -> None:
        self.outbox.subscribe(patterns, self.second)
        self.others.update(patterns)

    def unsubscribe_others(self, patterns: list[Topic]) -> None:
        self.outbox.unsubscribe(patterns, self.second)
        self.read()
        self.others.difference_update(patterns)

    def owe(self, values: dict[Topic, Published]) -> None:
        """Snapshots of those that match are to come."""
        for topic, event in values.items():
            if self.matched(topic):
                self.newest[topic] = self.offered[event.id] = event
                self.snapshots.add(topic)

    def unsubscribe(self, patterns: list[Topic]) -> None:
        self.outbox.unsubscribe(patterns)
        self.read()  # what was published before is sent first
        self.patterns.difference_update(patterns)
        for topic in [topic for topic in self.newest if not self.matched(topic)]:
            del self.newest[topic]
            self.snapshots.discard(topic)
        self.offered = {n: e for n, e in self.offered.items() if self.matched(e.topic)}

    def allow(self, accounts: set[str] | None) -> None:
        self.outbox.allow(accounts)
        self.accounts = accounts

    def hold(self, published: list[Published]) -> None:
        """As a client that resumes: what it has not seen is replayed; `published`: lossless."""
        self.outbox.hold()
        if self.held:
            return
        self.held = True
        self.cursor = published.index(self.lossless[0]) if self.lossless else len(published)
        self.lossless, self.replayed = [], set()
        self.newest, self.offered, self.snapshots, self.seen = {}, {}, set(), {}

    def replay(self, published: list[Published], records: list[Record], count: int) -> None:
        """The next `count` records; `published` says the same of them."""
        part = slice(self.cursor, self.cursor + count)
        brought = [event for event in published[part] if self.wanted(event)]
        self.cursor += len(published[part])
        size = self.outbox.replay(records[part])
        assert (size > 0) == bool(brought)
        self.lossless += brought
        self.replayed.update(event.id for event in brought)

    def go_live(self, values: dict[Topic, Published]) -> None:
        self.outbox.go_live()
        if self.held:
            self.held = False
            self.owe(values)

    def pace(self, interval: int) -> None:
        self.outbox.pace(interval)
        self.read()  # what was published before is sent first
        self.interval = interval

    def flush(self) -> None:
        """As before a close: what is paced does not wait."""
        self.outbox.flush()

    def control(self, number: int, padding: int) -> None:
        payload = orjson.dumps({"type": "ping", "n": number, "padding": "x" * padding})
        self.read()
        self.controls.append((number, len(payload) + 4))
        self.outbox.control(payload)

    # ----------------------------------------------------------- what must hold

    def read(self) -> None:
        """Check what came since the last time."""
        for data in self.sink.messages():
            message = orjson.loads(data)
            if message["type"] == "ping":
                assert self.controls.pop(0)[0] == message["n"]
            else:
                assert not self.controls, "an event overtook a control message"
                self.event(message)

    def event(self, message: dict[str, Any]) -> None:
        topic, number, value = parse(message)
        if self.lossless and self.lossless[0].id == number:
            event = self.lossless.pop(0)
            assert "snapshot" not in message
            assert message.get("second", False) is (number in self.in_second)
        else:
            event = self.conflatable(topic, number, message.get("snapshot", False))
        assert event.topic == topic
        if topic[1] in ("quote", "candle@1m"):
            body = message.get("quote") or message["bar"]
            assert body["seq"] == event.seq
            assert value == (str(event.value) if self.strings else event.value)
        else:
            assert value == event.value
        # a session that left a topic and came back may see its last value again
        assert event.seq > self.seen.get(topic, 0) - ("snapshot" in message)
        self.seen[topic] = event.seq

    def conflatable(self, topic: Topic, number: int, snapshot: bool) -> Published:
        event = self.offered.pop(number)
        assert snapshot is (topic in self.snapshots)
        self.snapshots.discard(topic)
        if topic in self.newest and event.id >= self.newest[topic].id:
            del self.newest[topic]
        return event

    def most(self) -> int:
        """Bytes it may hold: its bound, and what was replayed and has not been sent."""
        return self.bound + sum(e.size for e in self.lossless if e.id in self.replayed)

    def waiting(self) -> int:
        """Bytes that have not been seen yet: at least what the session holds for itself."""
        return sum(size for _, size in self.controls) + sum(e.size for e in self.lossless)

    def complete(self) -> None:
        """Nothing waits any more: all that had to come has come."""
        self.read()
        assert not self.outbox.waiting
        assert self.outbox.backlog == 0
        assert self.controls == []
        assert self.lossless == []
        assert self.newest == {}
        assert self.snapshots == set()
