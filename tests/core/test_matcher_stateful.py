"""Subscriptions in any order against `re`: who should get an event gets it once, nobody else does.

The quick form is what every run does; ``pytest --hypothesis-profile=long`` looks for longer.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .peer import START, Peer, body, candle, drain, quote

EVENT_TYPES = ("quote", "candle@1m", "order")
MOST_PEERS = 6

#: few letters, so that symbols and patterns meet; a colon, and two bytes that share their first
LETTERS = "AB:éè"
symbols = st.text(LETTERS, min_size=1, max_size=4)
patterns = st.tuples(
    st.one_of(symbols, st.text(LETTERS + "**", min_size=1, max_size=5), st.just("*")),
    st.sampled_from(EVENT_TYPES),
)
some_patterns = st.lists(patterns, min_size=1, max_size=4)
place = st.integers(0, MOST_PEERS - 1)


def matches(pattern: tuple[str, str], topic: tuple[str, str]) -> bool:
    expression = re.escape(pattern[0]).replace(r"\*", ".*")
    return pattern[1] == topic[1] and re.fullmatch(expression, topic[0]) is not None


class Matching(RuleBasedStateMachine):
    """Each rule is followed by a look at what every session got, to the message."""

    def __init__(self) -> None:
        super().__init__()
        self.router = Router(clock=Clock(START))
        self.held: list[tuple[Peer, set[tuple[str, str]]]] = []
        self.seqs: dict[tuple[str, str], int] = {}

    def matched(self, patterns: set[tuple[str, str]], topic: tuple[str, str]) -> bool:
        return any(matches(pattern, topic) for pattern in patterns)

    def receive(self) -> list[list[tuple[tuple[str, str], int, bool]]]:
        """What each session got since the last time: (topic, seq, snapshot)."""
        drain(self.router)
        return [[self.read(message) for message in peer.read()] for peer, _ in self.held]

    def read(self, message):
        if message["type"] == "order":
            topic = (message["order"]["symbol"], "order")
            return topic, message["order"]["n"], False
        kind = {"quote": "quote", "candle": "candle@1m"}[message["type"]]
        topic = (body(message)["symbol"], kind)
        return topic, body(message)["seq"], message.get("snapshot", False)

    def snapshots(self, before: set[tuple[str, str]], after: set[tuple[str, str]]):
        """What a change of subscriptions brings, in no order."""
        return {
            (topic, seq, True)
            for topic, seq in self.seqs.items()
            if topic[1] != "order" and self.matched(after, topic) > self.matched(before, topic)
        }

    # ------------------------------------------------------------------ rules

    @initialize(patterns=some_patterns)
    def begin(self, patterns):
        self.attach(patterns)

    @precondition(lambda self: len(self.held) < MOST_PEERS)
    @rule(patterns=some_patterns)
    def attach(self, patterns):
        self.held.append((Peer(self.router, *patterns), set(patterns)))
        *others, got = self.receive()
        assert not any(others)
        assert len(got) == len(set(got))
        assert set(got) == self.snapshots(set(), set(patterns))

    @rule(place=place, patterns=some_patterns)
    def subscribe(self, place, patterns):
        peer, held = self.held[place % len(self.held)]
        wanted = self.snapshots(held, held | set(patterns))
        peer.outbox.subscribe(patterns)
        held.update(patterns)
        got = [message for messages in self.receive() for message in messages]
        assert len(got) == len(wanted)
        assert set(got) == wanted

    @rule(place=place, patterns=some_patterns, known=st.booleans())
    def unsubscribe(self, place, patterns, known):
        peer, held = self.held[place % len(self.held)]
        gone = sorted(held)[: len(patterns)] if known else patterns
        peer.outbox.unsubscribe(gone)
        held.difference_update(gone)
        assert not any(self.receive())

    @precondition(lambda self: len(self.held) > 1)
    @rule(place=place)
    def close(self, place):
        peer, _ = self.held.pop(place % len(self.held))
        peer.outbox.close()
        assert not any(self.receive())
        assert peer.read() == []

    @rule(topics=st.lists(st.tuples(symbols, st.sampled_from(EVENT_TYPES)), max_size=6))
    def publish(self, topics):
        wanted = []
        for symbol, event_type in topics:
            topic = symbol, event_type
            seq = self.seqs[topic] = self.seqs.get(topic, 0) + 1
            wanted.append((topic, seq, False))
            if event_type == "order":
                self.router.publish("order", {"symbol": symbol, "n": seq})
            else:
                self.router.publish({"quote": quote, "candle@1m": candle}[event_type](symbol))
        got = self.receive()
        assert got == [
            [event for event in wanted if self.matched(held, event[0])] for _, held in self.held
        ]


TestMatching = Matching.TestCase
