"""The grammar of subscriptions, item by item."""

from __future__ import annotations

import pytest

from fastrouter.core.kinds import KINDS
from fastrouter.errors import SubscriptionError
from fastrouter.session.subscriptions import DEFAULT, parse

GOOD = [
    ("", []),
    ("S:AAPL:quote", [("S:AAPL", "quote")]),
    ("S:AAPL:candle", [("S:AAPL", "candle@1m")]),
    ("S:AAPL:candle@5m", [("S:AAPL", "candle@5m")]),
    ("*:quote", [("*", "quote")]),
    ("C:BTC*:candle@1h", [("C:BTC*", "candle@1h")]),
    ("a:b:c:d:order", [("a:b:c:d", "order")]),
    (" S:AAPL:quote , C:BTCUSD:candle ", [("S:AAPL", "quote"), ("C:BTCUSD", "candle@1m")]),
    ("S:A:quote,S:A:quote", [("S:A", "quote")]),
    ("S:A:candle,S:A:candle@1m", [("S:A", "candle@1m")]),
    ("S:Ünïcode:trade", [("S:Ünïcode", "trade")]),
]
BAD = [
    (",", "symbol}:{event_type}"),
    ("S:AAPL:quote,", "symbol}:{event_type}"),
    ("quote", "symbol}:{event_type}"),
    (":quote", "symbol must be"),
    ("S:AAPL", "event type must be one of quote, candle"),
    ("S:AAPL:", "event type must be one of"),
    ("S:AAPL:QUOTE", "event type must be one of"),
    ("S:AAPL:candle@7m", "timeframe must be one of 1s"),
    ("S:AAPL:candle@", "timeframe must be one of 1s"),
    ("S:AAPL:quote@1m", "only candle has a timeframe"),
    ("S A:quote", "symbol must be"),
    ("x" * 129 + ":quote", "symbol must be"),
    ("S:\x00:quote", "symbol must be"),
]


@pytest.mark.parametrize(("text", "patterns"), GOOD)
def test_good(text, patterns):
    assert [item.pattern for item in parse(text)] == patterns


@pytest.mark.parametrize(("text", "rule"), BAD)
def test_malformed_names_the_item_and_the_rule(text, rule):
    with pytest.raises(SubscriptionError) as caught:
        parse(text)
    assert rule in str(caught.value)
    assert repr(text.split(",")[-1].strip()[:200]) in str(caught.value)
    assert caught.value.code == "INVALID_SUBSCRIPTION"


def test_default_timeframe_is_configurable():
    assert parse("S:A:candle", "15m")[0].event_type == "candle@15m"


def test_default_covers_every_kind():
    assert {item.event_type.partition("@")[0] for item in parse(DEFAULT)} == set(KINDS)
    assert {item.symbol for item in parse(DEFAULT)} == {"*"}
