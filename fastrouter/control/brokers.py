"""Who trades live, by kind. A new broker is a module and one row, or an entry point.

Its attribute is called with a router, a database, terms and a journal's `delivery`, as
`LiveDesk.open` is, and awaited; what it returns is a `LiveDesk`, or does what that does: it is a
`Desk` that can be closed. It raises ConfigError for terms that cannot be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol, cast

from fastrouter.control.announcer import Delivery
from fastrouter.control.database import Database
from fastrouter.control.desk import Desk
from fastrouter.control.terms import Terms
from fastrouter.control.venue import Venue
from fastrouter.errors import ConfigError

__all__ = ["BROKERS", "ENTRY_POINTS", "OpenDesk", "Opener", "load", "names"]

#: kind -> "module:attribute"
BROKERS = {"paper": "fastrouter.control.live_desk:open_desk"}

#: third parties register theirs here: kind = "module:attribute"
ENTRY_POINTS = "fastrouter.brokers"


class OpenDesk(Desk, Protocol):
    """A desk that trades until it is closed."""

    async def close(self) -> None:
        """Take no orders any more; keep and announce what is under way. Safe to call again."""


Opener = Callable[[Venue, Database, Terms, Callable[[bytes], Delivery]], Awaitable[OpenDesk]]


def _table() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | BROKERS


def names() -> list[str]:
    """All that are registered."""
    return list(_table())


def load(kind: str) -> Opener:
    """What opens a desk of that kind. Raises ConfigError, naming those there are."""
    found = _table().get(kind)
    if found is None:
        raise ConfigError(
            f"broker.kind = {kind!r} is not registered; allowed: {', '.join(names())}"
        )
    module, _, attribute = found.partition(":")
    return cast(Opener, getattr(import_module(module), attribute))
