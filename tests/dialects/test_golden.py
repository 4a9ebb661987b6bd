"""Every message of every dialect: byte for byte, as the documents show it, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fastrouter.core.event import Event
from fastrouter.core.leaves import parse_iso8601
from fastrouter.dialects import load, names

from .cases import CASES, GOLDEN, ID, Case

ANYTHING = "..."
"""What a document leaves out of an example."""

#: what we add to an example in a dialect whose documents only sketch it
OURS = {"trading-api": {"id", "timestamp"}}

EVENTS = [case for case in CASES if case.is_event]
SEEDS = [case for case in CASES if case.seed.exists()]


def name_of(case: Case) -> str:
    return f"{case.dialect}-{case.name}"


def encoded(case: Case) -> bytes:
    dialect = load(case.dialect, **case.options)
    if case.is_event:
        return dialect.encode(case.event)
    return dialect.control(case.kind, case.body, case.ns)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_bytes_are_those_of_the_golden_file(case):
    assert encoded(case) == case.path.read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("case", SEEDS, ids=name_of)
def test_the_golden_file_is_the_documents_example(case):
    """Field for field, in that order; numbers and times are the same ones."""
    seed, ours = (json.loads(path.read_text()) for path in (case.seed, case.path))
    assert_same(seed, ours, OURS.get(case.dialect, set()))


def assert_same(seed: Any, ours: Any, added: set[str]) -> None:
    if seed == ANYTHING:
        return
    if isinstance(seed, dict):
        assert list(seed) == [key for key in ours if key in seed or key not in added]
        for key in seed:
            assert_same(seed[key], ours[key], set())
    elif isinstance(seed, list):
        assert len(seed) == len(ours)
        for one, other in zip(seed, ours, strict=True):
            assert_same(one, other, set())
    elif is_time(seed):
        assert parse_iso8601(seed) == parse_iso8601(ours)
        assert seed[-1] == ours[-1]  # Z, or the last digit of +00:00
    else:
        assert seed == ours
        assert isinstance(seed, str) == isinstance(ours, str)


def is_time(text: Any) -> bool:
    return isinstance(text, str) and text[:2] == "20" and text[10:11] == "T"


def test_no_example_of_the_documents_is_left_out():
    """Those of market data are in `test_market`."""
    market = {"quote", "candle.closed", "MarketData", "ChartUpdate"}
    files = {
        (path.parent.name, path.name.removesuffix(".seed.json"))
        for path in GOLDEN.glob("*/*.seed.json")
    }
    left = files - {(case.dialect, case.name) for case in CASES}
    assert {name for _, name in left} == market
    assert {path.parent.name for path in GOLDEN.glob("*/*.json")} == set(names()) - {"alpaca"}


@pytest.mark.parametrize("case", EVENTS, ids=name_of)
def test_an_event_comes_back_as_far_as_the_message_tells(case):
    event, dialect = case.event, load(case.dialect, **case.options)
    golden = case.path.read_bytes().rstrip(b"\n")
    back = dialect.decode(golden)
    assert isinstance(back, Event)
    assert (back.kind, back.symbol, back.time) == (event.kind, event.symbol, event.time)
    assert back.id == (ID if b"evt_" in golden else 0)
    for field in back.payload.keys() & event.payload.keys():
        assert back.payload[field] == event.payload[field], field
    again = Event(back.kind, back.payload, time=event.time, id=ID)
    assert dialect.encode(again) == golden


@pytest.mark.parametrize("case", [case for case in CASES if not case.is_event], ids=name_of)
def test_a_message_of_the_session_is_read(case):
    dialect = load(case.dialect)
    back = dialect.decode(case.path.read_bytes())
    assert isinstance(back, Event)
    if case.kind == "welcome" and "job" not in case.name:
        assert (back.kind, back.payload["event"]) == ("connection", "CONNECTED")
    if case.kind == "error":
        assert back.payload["code"] == case.body["code"]
