"""What strategies are to the sessions that are theirs."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Roster"]


def _nothing(strategy_id: str) -> str | None:
    return None


class Roster:
    """One for all sessions of a process; whoever runs strategies sets `subscriptions`."""

    def __init__(self) -> None:
        self.paused: set[str] = set()  # whose sessions get no market data
        #: what the sessions of a strategy get that name nothing; None: the server's default
        self.subscriptions: Callable[[str], str | None] = _nothing
