"""What C reads of an ``event_ack``, against all of JSON."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import orjson
import pytest

from fastrouter.core.leaves import read_ack

PLAIN = b'{"type":"event_ack","correlation_id":"c","events_processed":["evt_1"],"timestamp":1}'


def slow(text: bytes) -> list[int] | None:
    """The same by a parser of JSON; None for what is no ack."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
        message: dict[str, Any] = orjson.loads(text)
        fits = (
            message["type"] == "event_ack"
            and isinstance(message["correlation_id"], str)
            and isinstance(message["timestamp"], int | float)
            and not isinstance(message["timestamp"], bool)
            and all(isinstance(one, str) for one in message["events_processed"])
            and len(pairs) == 4
        )
    except (ValueError, KeyError, TypeError):
        return None
    if not fits:
        return None
    found = [re.fullmatch("evt_([0-9]{1,18})", one) for one in message["events_processed"]]
    return [int(one[1]) if one else 0 for one in found]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (PLAIN, [1]),
        (PLAIN.replace(b'"evt_1"', b""), []),
        (PLAIN.replace(b'"evt_1"', b'"evt_1","unknown", "evt_23"'), [1, 0, 23]),
        (PLAIN.replace(b'"evt_1"', b'"evt_","evt_x","EVT_1","evt_007",""'), [0, 0, 0, 7, 0]),
        (PLAIN.replace(b"evt_1", b"evt_" + b"9" * 18), [10**18 - 1]),
        (PLAIN.replace(b"evt_1", b"evt_" + b"1" * 19), [0]),
        (PLAIN.replace(b":1}", b":1700000000000.25}"), [1]),
        (PLAIN.replace(b":1}", b":-5}"), [1]),
        (json.dumps(json.loads(PLAIN)).encode(), [1]),
        (json.dumps(json.loads(PLAIN), indent=2).encode() + b"\r\n\t ", [1]),
        (json.dumps(json.loads(PLAIN), sort_keys=True).encode(), [1]),
    ],
)  # fmt: skip
def test_an_ack_as_clients_write_it(text, numbers):
    assert read_ack(text) == numbers == slow(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        PLAIN[:-1],
        PLAIN + b"}",
        PLAIN + b"x",
        PLAIN.replace(b"event_ack", b"event_nak"),
        PLAIN.replace(b'"c"', b"5"),
        PLAIN.replace(b'"c"', b'"\\u0041"'),
        PLAIN.replace(b'"c"', '"é"'.encode()),
        PLAIN.replace(b'"c"', b'"\xff"'),
        PLAIN.replace(b'"c"', b'"\n"'),
        PLAIN.replace(b'["evt_1"]', b'"evt_1"'),
        PLAIN.replace(b'["evt_1"]', b"[1]"),
        PLAIN.replace(b'["evt_1"]', b'["evt_1",]'),
        PLAIN.replace(b'["evt_1"]', b'["evt_1" "evt_2"]'),
        PLAIN.replace(b'["evt_1"]', b'[,"evt_1"]'),
        PLAIN.replace(b'["evt_1"]', b'["evt_1"'),
        PLAIN.replace(b":1}", b":01}"),
        PLAIN.replace(b":1}", b":1.}"),
        PLAIN.replace(b":1}", b":}"),
        PLAIN.replace(b":1}", b":true}"),
        PLAIN.replace(b":1}", b":1e3}"),
        PLAIN.replace(b":1}", b":1,}"),
        PLAIN.replace(b":1}", b':1,"more":2}'),
        PLAIN.replace(b":1}", b':1,"timestamp":2}'),
        PLAIN.replace(b',"timestamp":1', b""),
    ],
)
def test_for_anything_else_somebody_has_to_ask(text):
    assert read_ack(text) is None


def test_random_changes_never_make_an_ack_of_what_is_none():
    random = Random(8)
    alphabet = b'{}[]",:\\evt_0123456789. \n\xc3\xa9ck'
    for _ in range(40_000):
        text = bytearray(PLAIN)
        for _ in range(random.randrange(1, 4)):
            place = random.randrange(len(text))
            kind = random.randrange(3)
            if kind == 0:
                text[place] = random.choice(alphabet)
            elif kind == 1:
                del text[place]
            else:
                text.insert(place, random.choice(alphabet))
        found = read_ack(bytes(text))
        assert found is None or found == slow(bytes(text)), text
