"""Taking a client's text apart."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from fastrouter.errors import MessageError
from fastrouter.session.messages import decode, field, found, kind_of, optional, strings


def anything(rng: random.Random, depth: int = 0) -> Any:
    leaves = [None, True, False, 0, -1, 2.5, 10**15, "", "é", 'a"b\\', "\u2028"]
    choice = rng.random() if depth < 4 else 1
    if choice < 0.25:
        return [anything(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if choice < 0.5:
        return {rng.choice(["type", "a", "b"]): anything(rng, depth + 1) for _ in range(3)}
    return rng.choice(leaves)


@pytest.mark.parametrize("seed", range(20))
def test_what_json_says(seed):
    rng = random.Random(seed)
    for _ in range(200):
        value = anything(rng)
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
        assert decode(text.encode()) == value
        kind = value.get("type") if isinstance(value, dict) else None
        assert kind_of(value) == (kind if isinstance(kind, str) else None)


@pytest.mark.parametrize("text", [b"", b" ", b"{", b"{}x", b"'a'", b"\xef\xbb\xbf{}", b"NaN"])
def test_what_is_not_json(text):
    with pytest.raises(MessageError, match=r"^not JSON: ") as caught:
        decode(text)
    assert caught.value.code == "INVALID_MESSAGE"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({}, "an object"),
        ([], "an array"),
        ("", "a string"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        (None, "null"),
    ],
)
def test_what_a_value_is_called(value, name):
    assert found(value) == name
    message = {"type": "x", "a": value}
    with pytest.raises(MessageError, match=rf"^x: 'a' is {name}; it must be a thing$"):
        field(message, "a", (), "a thing")
    with pytest.raises(MessageError, match=rf"^x: 'a' is {name}; it must be a thing$"):
        optional(message, "a", (), "a thing")


def test_a_boolean_is_no_number():
    with pytest.raises(MessageError, match="'a' is a boolean"):
        field({"type": "x", "a": True}, "a", (int, float), "a number")


def test_a_field_that_is_missing():
    with pytest.raises(MessageError, match=r"^x: 'a' is missing; it must be a string$"):
        field({"type": "x"}, "a", str, "a string")
    assert optional({"type": "x"}, "a", str, "a string") is None
    assert optional({"type": "x", "a": 5}, "a", (int, float), "a number") == 5
    assert math.isfinite(field({"type": "x", "a": 1e308}, "a", float, "a number"))


@pytest.mark.parametrize("value", ["a", {"a": 1}, ["a", 1], [None], None])
def test_an_array_of_strings(value):
    assert strings({"type": "x", "a": ["b", "c"]}, "a") == ["b", "c"]
    with pytest.raises(MessageError, match="must be an array of strings"):
        strings({"type": "x", "a": value}, "a")
