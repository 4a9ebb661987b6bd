"""A client's part in a simulation, whose time waits for what it acknowledges.

A run goes on, on a new connection, at the first batch that it has no acknowledgement of. So what
comes again was either taken already, and only its acknowledgement was lost, or waits here to be
taken, and will be acknowledged then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Lockstep"]

#: what a URL may ask for that an open run has settled; without `clients` it begins no other one
SETTLED = ("since", "clients", "conflate")


class Lockstep:
    """Of the run that a welcome named; ids rise from one event to the next."""

    def __init__(self, run: str, member: Any) -> None:
        self._run = run
        self._member = member
        self._arrived = 0
        self._done = 0

    @classmethod
    def of(cls, welcome: dict[str, Any]) -> Lockstep | None:
        """None when the welcome names no run: time goes on without us."""
        run = welcome.get("run_id")
        return cls(run, welcome.get("member")) if isinstance(run, str) else None

    @property
    def arrived(self) -> int:
        """The newest event's id; 0 before the first."""
        return self._arrived

    def is_new(self, number: int) -> bool:
        """Has an event of this id not arrived yet? It has now."""
        if number <= self._arrived:
            return False
        self._arrived = number
        return True

    def is_done(self, number: int) -> bool:
        """Was it acknowledged?"""
        return number <= self._done

    def finish(self, ids: Sequence[int]) -> None:
        """These are acknowledged, or would be if there were a session."""
        self._done = max(self._done, *ids)

    def parameters(self) -> dict[str, str | None]:
        """What to ask for to go on where it was."""
        member = None if self._member is None else str(self._member)
        return {"run": self._run, "member": member}
