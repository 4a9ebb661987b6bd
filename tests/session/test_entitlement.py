"""What a grant covers, item by item and against an oracle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastrouter.core.timeframe import TIMEFRAMES
from fastrouter.session.entitlement import Entitlement, Pattern, covers
from fastrouter.session.subscriptions import DEFAULT, parse, parse_item

COVERED = [
    ("C:BTC*:candle", "C:BTCUSD:candle@5m", True),
    ("C:BTC*:candle", "C:BTC*:candle", True),
    ("C:BTC*:candle", "C:BTC*USD:candle", True),
    ("C:BTC*:candle", "C:*:candle", False),
    ("C:BTC*:candle", "C:BT*:candle", False),
    ("C:BTC*:candle", "C:BTCUSD:quote", False),
    ("C:X:candle@5m", "C:X:candle@5m", True),
    ("C:X:candle@5m", "C:X:candle", False),
    ("C:X:candle@1m", "C:X:candle", True),
    ("*:quote", "*:quote", True),
    ("*:quote", "**:quote", True),
    ("**:quote", "*:quote", True),
    ("*a*:quote", "*b*:quote", False),
    ("*a*b:quote", "a*ab:quote", True),
    ("S:AAPL:quote", "S:*:quote", False),
    ("S:*L:quote", "S:*:quote", False),
    ("S:A?:quote", "S:A*:quote", False),
]


@pytest.mark.parametrize(("grant", "wanted", "expected"), COVERED)
def test_covers(grant, wanted, expected):
    assert covers(Pattern.parse(grant), parse_item(wanted)) is expected


def test_a_candle_without_a_timeframe_covers_every_one():
    assert all(
        covers(Pattern.parse("*:candle"), parse_item(f"S:A:candle@{name}")) for name in TIMEFRAMES
    )


def matches(pattern: str, symbol: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), symbol) is not None


patterns = st.text("ab*", min_size=1, max_size=6)


@given(patterns, patterns, st.text("abc", min_size=1, max_size=8))
def test_what_the_wanted_pattern_matches_the_grant_matches_too(grant, wanted, symbol):
    if covers(Pattern(grant, "quote"), parse_item(f"{wanted}:quote")) and matches(wanted, symbol):
        assert matches(grant, symbol)


@given(patterns, patterns)
def test_what_is_not_covered_has_a_symbol_to_show_for_it(grant, wanted):
    """A letter the grant does not know, in the place of each wildcard: complete, too."""
    symbol = wanted.replace("*", "z")
    covered = covers(Pattern(grant, "quote"), parse_item(f"{wanted}:quote"))
    assert covered is matches(grant, symbol)


def narrowed(grants: str, default: str) -> list[str]:
    entitlement = Entitlement(map(Pattern.parse, grants.split(",")))
    return [":".join(item.pattern) for item in entitlement.narrow(parse(default))]


@pytest.mark.parametrize(
    ("grants", "default", "left"),
    [
        ("*:quote", DEFAULT, ["*:quote"]),
        ("S:*:quote,C:X:candle", DEFAULT, ["S:*:quote", "C:X:candle@1m"]),
        ("C:X:candle@5m", "*:candle", []),
        ("C:X:candle@5m", "*:candle@5m,*:candle", ["C:X:candle@5m"]),
        ("S:A*:quote", "S:AAPL:quote,S:MSFT:quote", ["S:AAPL:quote"]),
        ("S:A*:quote,S:AB:quote", "*:quote", ["S:A*:quote", "S:AB:quote"]),
        ("S:A*:quote", "*L:quote", []),  # they overlap, but in no single pattern
        ("S:A:order", "*:quote", []),
    ],
)
def test_narrow(grants, default, left):
    assert narrowed(grants, default) == left


@given(st.lists(patterns, min_size=1, max_size=3), st.lists(patterns, min_size=1, max_size=3))
def test_narrowing_never_gives_what_is_not_granted_nor_what_was_not_asked(grants, default):
    entitlement = Entitlement(Pattern(grant, "quote") for grant in grants)
    items = [parse_item(f"{text}:quote") for text in default]
    for item in entitlement.narrow(items):
        assert entitlement.covers(item)
        assert any(covers(Pattern(text, "quote"), item) for text in default)
