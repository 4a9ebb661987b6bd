"""A session and its outbox hold the same, whatever is added, moved and removed."""

from __future__ import annotations

import random

import pytest

from fastrouter.core.clock import Clock
from fastrouter.core.event import Event
from fastrouter.core.router import Router
from fastrouter.core.sink import MemorySink
from fastrouter.session.entitlement import Entitlement, Pattern
from fastrouter.session.holding import Holding
from fastrouter.session.subscriptions import parse

from .peer import START, Envelope

KINDS = ("order", "signal", "trade")
SYMBOLS = ("S:A", "S:B", "C:A")
ITEMS = [f"{symbol}:{kind}" for symbol in ("*", "S:*", *SYMBOLS) for kind in KINDS]


def matched(holding: Holding, symbol: str, kind: str) -> bool:
    return any(
        kind == held and (pattern in ("*", symbol) or (pattern == "S:*" and symbol[0] == "S"))
        for pattern, held in holding.texts
    )


@pytest.mark.parametrize("seed", range(20))
def test_every_event_comes_where_its_subscription_is(seed):
    rng = random.Random(seed)
    router = Router(clock=Clock(START))
    sink = MemorySink()
    own, second = Envelope("own"), Envelope("second")
    holding = Holding(router.attach(sink, own), 0)
    moved: set[str] = set()
    for step in range(300):
        items = parse(",".join(rng.sample(ITEMS, rng.randint(0, 4))))
        rng.choice([holding.add, holding.remove])(items)
        if step in (50, 100):
            moved |= {50: {"trade"}, 100: {"signal", "trade"}}[step]
            holding.move(moved, second)
        if step % 50 == 49:
            grants = rng.sample(ITEMS, 8)
            holding.narrow(Entitlement(map(Pattern.parse, grants)))
            assert len(holding.granted(holding.allowed([]))) == 0
            holding.entitlement = None
        symbol, kind = rng.choice(SYMBOLS), rng.choice(KINDS)
        assert holding.matches(symbol, kind) is matched(holding, symbol, kind)
        router.publish(Event(kind, {}, symbol=symbol))
        while router.flush():
            pass
        expected = b'"second"' if kind in moved else b'"own"'
        messages = sink.messages()
        assert len(messages) == matched(holding, symbol, kind)
        assert all(expected in message for message in messages)
    assert holding.moved
