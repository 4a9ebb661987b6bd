"""What a run tells its host: data, no behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .member import Member

__all__ = ["Completed", "Evicted", "Failed", "News", "Totals"]


class Totals(NamedTuple):
    """What a run published; times are simulated ones, ns since the epoch, 0 when there is none."""

    events: int
    instants: int
    first: int
    last: int
    wall_seconds: float
    bad_rows: int
    kinds: dict[str, int]

    def fields(self, text: Any) -> dict[str, Any]:
        """As a message has them; `text` renders a time."""
        told = self._asdict()
        told["first"] = text(self.first) if self.instants else None
        told["last"] = text(self.last) if self.instants else None
        told["wall_seconds"] = round(self.wall_seconds, 3)
        return told


class Completed(NamedTuple):
    """Everything has been published and acknowledged."""

    totals: Totals


class Evicted(NamedTuple):
    """The run goes on without this member, which held it up: `lagging`, or `away` for too long."""

    member: Member
    reason: str


class Failed(NamedTuple):
    """The data cannot be read on."""

    reason: str


News = Completed | Evicted | Failed
