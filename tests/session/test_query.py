"""What a query string can ask for."""

from __future__ import annotations

import pytest

from fastrouter.errors import MessageError
from fastrouter.session.query import Opening, parse_conflate, parse_since

MS = 1_000_000


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("1ms", MS),
        ("250ms", 250 * MS),
        ("2s", 2000 * MS),
        ("60s", 60_000 * MS),
        ("60000ms", 60_000 * MS),
    ],
)
def test_conflate(text, interval):
    assert parse_conflate(text) == interval


@pytest.mark.parametrize(
    "text",
    ["", "0ms", "0s", "61s", "60001ms", "250", "ms", "1.5s", "-1s", "1m", "1us", " 1s", "1s ",
     "9" * 999 + "ms"],
)  # fmt: skip
def test_a_malformed_conflate(text):
    with pytest.raises(MessageError, match="allowed: 1ms to 60s"):
        parse_conflate(text)


def test_since():
    assert parse_since("evt_42") == 42
    for text in ("", "42", "evt_", "evt_x", "evt_9223372036854775808"):
        with pytest.raises(MessageError, match="allowed: evt_<n>"):
            parse_since(text)


def test_opening():
    asked = {"subscriptions": "S:A:quote", "since": "evt_1", "conflate": "2s"}
    assert Opening.read(asked.get) == Opening("S:A:quote", 1, 2000 * MS)
    assert Opening.read({}.get) == Opening(None, None, None)
    with pytest.raises(MessageError):
        Opening.read({"since": "now"}.get)
