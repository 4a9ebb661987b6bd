"""Groups and topics, matched once, whichever comes first; seen through a router."""

from __future__ import annotations

import random
import re

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.router import Router

from .peer import START, Peer, body, drain, quote


@pytest.fixture
def router() -> Router:
    return Router(clock=Clock(START))


PATTERNS = ["S:AAPL", "*", "S:*", "*:AAPL", "S:*PL", "S:A*P*", "**", "S:AAPL*", "*S:AAPL", "AAPL"]
SYMBOLS = ["S:AAPL", "C:AAPL", "S:APL", "S:A", "S:AAPLX", "s:aapl", "S:AAP", "S:AXXPYY"]


def matches(pattern: str, symbol: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), symbol) is not None


@pytest.mark.parametrize("topics_first", [True, False])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_as_its_expression_does(router, pattern, topics_first):
    if topics_first:
        for symbol in SYMBOLS:
            router.publish(quote(symbol))
    peer = Peer(router, (pattern, "quote"))
    drain(router)
    peer.read()
    for symbol in SYMBOLS:
        router.publish(quote(symbol))
    drain(router)
    got = [body(m)["symbol"] for m in peer.read()]
    assert got == [symbol for symbol in SYMBOLS if matches(pattern, symbol)]


def test_event_types_do_not_mix(router):
    quotes, candles, orders = (Peer(router, ("*", t)) for t in ("quote", "candle@5m", "order"))
    router.publish(quote("S:A"))
    router.publish("order", {"symbol": "S:A"})
    drain(router)
    assert [len(peer.read()) for peer in (quotes, candles, orders)] == [1, 0, 1]


def test_a_symbol_may_hold_colons_quotes_and_any_utf8(router):
    peer = Peer(router, ("*", "quote"))
    symbols = ['S:"A"', "a:b:c", "S:\\", "S:日本", "x" * 128]
    for symbol in symbols:
        router.publish(quote(symbol))
    drain(router)
    assert [body(m)["symbol"] for m in peer.read()] == symbols


def test_members_come_and_go_in_any_order():
    """Every join and leave closes the gaps of both lists; checked by who still gets what."""
    rng = random.Random(3)
    router = Router(clock=Clock(START))
    peers = [Peer(router) for _ in range(30)]
    held = {peer: set() for peer in peers}
    for _ in range(4000):
        peer = rng.choice(peers)
        pattern = rng.choice(PATTERNS)
        if pattern in held[peer]:
            peer.outbox.unsubscribe([(pattern, "quote")])
            held[peer].remove(pattern)
        else:
            peer.outbox.subscribe([(pattern, "quote")])
            held[peer].add(pattern)
    for peer in peers[::3]:
        peer.outbox.close()
        del held[peer]
    drain(router)
    for peer in held:
        peer.read()
    for symbol in SYMBOLS:
        router.publish(quote(symbol))
    drain(router)
    for peer, patterns in held.items():
        wanted = [s for s in SYMBOLS if any(matches(p, s) for p in patterns)]
        assert [body(m)["symbol"] for m in peer.read()] == wanted


def test_two_dialects_each_get_their_own_bytes_once(router):
    from fastrouter.core.sink import MemorySink
    from fastrouter.dialects import load

    numbers = load("trading-api", decimals="number")
    sinks = [MemorySink() for _ in range(4)]
    for sink in sinks[:2]:
        router.attach(sink, numbers).subscribe([("*", "quote"), ("S:A", "quote")])
    strings = [Peer(router, ("S:A", "quote"), ("*", "quote")) for _ in range(2)]
    router.publish(quote("S:A"))
    drain(router)
    assert router.encoder.encoded == 2
    for peer in strings:
        assert [body(m)["bid"] for m in peer.read()] == ["1"]
    for sink in sinks[:2]:
        (message,) = sink.messages()
        assert b'"bid":1,' in message


def test_a_dialect_in_python_alone(router):
    """A third party's: no C encoder, quotes and candles through `encode`."""
    import json

    from fastrouter.core.dialect import Dialect
    from fastrouter.core.sink import MemorySink

    class Plain(Dialect):
        def encode(self, event):
            if getattr(event, "symbol", "") == "S:SECRET":
                return None
            return json.dumps([event.symbol, event.seq, event.snapshot]).encode()

    sink = MemorySink()
    router.publish(quote("S:A"))
    outbox = router.attach(sink, Plain("plain"))
    outbox.subscribe([("*", "quote")])
    drain(router)
    router.publish(quote("S:SECRET"))
    router.publish(quote("S:A"))
    drain(router)
    assert sink.messages() == [b'["S:A", 1, true]', b'["S:A", 2, false]']
