"""What strategies are to the sessions that are theirs."""

from __future__ import annotations

__all__ = ["Roster"]


class Roster:
    """One for all sessions of a process."""

    def __init__(self) -> None:
        self.paused: set[str] = set()  # whose sessions get no market data
