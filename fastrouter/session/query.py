"""What the handshake's query string asks for, before there is a session."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from fastrouter.core.leaves import symbol_valid
from fastrouter.errors import MessageError
from fastrouter.session.acks import event_number

__all__ = ["Opening", "parse_conflate", "parse_name", "parse_since"]

MILLISECOND = 1_000_000  # ns
UNITS = {"ms": MILLISECOND, "s": 1000 * MILLISECOND}
SHORTEST, LONGEST = MILLISECOND, 60_000 * MILLISECOND

_INTERVAL = re.compile(r"([0-9]{1,9})(ms|s)", re.ASCII)


class Opening(NamedTuple):
    """How a session begins: None is what it did not say."""

    subscriptions: str | None = None
    since: int | None = None  # the last event it has
    conflate: int | None = None  # ns between two quotes of a topic
    strategy_id: str | None = None  # whose session it is

    @classmethod
    def read(cls, parameter: Callable[[str], str | None]) -> Opening:
        """Take the parameters by name. Raises MessageError for one that is malformed."""
        since, conflate = parameter("since"), parameter("conflate")
        strategy_id = parameter("strategy_id")
        return cls(
            parameter("subscriptions"),
            None if since is None else parse_since(since),
            None if conflate is None else parse_conflate(conflate),
            None if strategy_id is None else parse_name("strategy_id", strategy_id),
        )


def parse_name(parameter: str, text: str) -> str:
    """The name of something. Raises MessageError."""
    if not symbol_valid(text):
        raise MessageError(
            f"{parameter} is {text[:100]!r}; allowed: 1 to 128 bytes without blanks, "
            "control characters, ',' and '*'"
        )
    return text


def parse_since(text: str) -> int:
    """``evt_<n>`` -> n. Raises MessageError."""
    number = event_number(text)
    if number is None or number >= 1 << 63:
        raise MessageError(f"since is {text[:100]!r}; allowed: evt_<n>, the id of an event")
    return number


def parse_conflate(text: str) -> int:
    """``250ms``, ``2s`` -> ns. Raises MessageError."""
    found = _INTERVAL.fullmatch(text)
    interval = int(found[1]) * UNITS[found[2]] if found is not None else 0
    if not SHORTEST <= interval <= LONGEST:
        raise MessageError(f"conflate is {text[:100]!r}; allowed: 1ms to 60s, as 250ms or 2s")
    return interval
