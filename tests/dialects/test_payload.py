"""The tables and conversions between what is routed and what is sent."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from fastrouter.dialects.payload import (
    DECIMALS,
    TIMES,
    canonical,
    event_number,
    iso,
    ms,
    number,
    plain,
    short,
    text,
)
from fastrouter.models import MODELS
from fastrouter.models.fields import Number, Time


def fields_of(kind_of_field) -> set[str]:
    return {
        name
        for model in MODELS.values()
        for name, hint in get_type_hints(model, include_extras=True).items()
        if hint in (kind_of_field, kind_of_field | None)
    }


def test_the_tables_are_those_of_the_models():
    assert fields_of(Number) == DECIMALS
    assert fields_of(Time) == TIMES


@pytest.mark.parametrize(
    ("routed", "sent"),
    [("150.250", 150.25), ("67500.00", 67500), ("-0", 0), ("1e3", 1000), (None, None), ("x", "x")],
)
def test_a_number_is_whole_when_it_can_be(routed, sent):
    found = number(routed)
    assert (found, type(found)) == (sent, type(sent))


def test_a_missing_number_is_what_the_caller_says():
    assert number(None, 0) == 0


def test_a_number_beyond_exact_integers_stays_a_double():
    assert isinstance(number("9007199254740993"), float)
    assert number("9007199254740991") == 2**53 - 1


@pytest.mark.parametrize(("value", "found"), [(1, "1"), (1.5, "1.5"), (1e-7, "1e-7"), ("a", "a")])
def test_numbers_back_to_text(value, found):
    assert text(value) == found
    assert text(True) is True


def test_times():
    routed, shortest = "2023-07-10T12:34:56.000000Z", "2023-07-10T12:34:56Z"
    assert (short(routed), iso(shortest)) == (shortest, routed)
    assert short("2023-07-10T12:34:56.100000Z") == "2023-07-10T12:34:56.100000Z"
    assert ms(routed) == 1688992496000
    assert iso(1688992496000) == routed
    assert (short(None), iso(None), ms(None)) == (None, None, None)


def test_there_and_back():
    payload = {"id": "1", "qty": "10.5", "created_at": "2023-07-10T12:34:56.000000Z"}
    sent = plain(payload)
    assert sent == {"id": "1", "qty": 10.5, "created_at": "2023-07-10T12:34:56Z"}
    assert canonical(sent) == payload


@pytest.mark.parametrize(("name", "n"), [("evt_7", 7), (None, 0), ("o-1", 0), (7, 0)])
def test_event_numbers(name, n):
    assert event_number(name) == n
