"""What came of a run, as far as it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from fastrouter.core.leaves import iso8601
from fastrouter.engine.desk import RunDesk
from fastrouter.engine.equity import Point
from fastrouter.engine.run import Run

__all__ = ["Ending", "Outcome", "Status"]


class Status(IntEnum):
    """How the command ends."""

    COMPLETE = 0
    FAILED = 1  # the data cannot be read on or has no row, or a file cannot be written
    MISUSED = 2  # an option, data that is not there, a COMMAND that cannot be started
    LEFT = 3  # COMMAND ended before the run did, or never came
    TIMED_OUT = 124
    INTERRUPTED = 130


class Ending(Exception):
    """The run is not complete: why, as a code and in words."""

    def __init__(self, status: Status, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Times are ISO-8601, simulated; shares are of 1."""

    dataset: str
    events: int = 0
    instants: int = 0
    first: str | None = None
    last: str | None = None
    wall_seconds: float = 0.0
    bad_rows: int = 0
    orders: int = 0
    report: dict[str, Any] | None = None
    plot: str | None = None
    error: dict[str, str] | None = None
    status: Status = Status.COMPLETE
    equity: list[Point] = field(default_factory=list)

    def fill(self, run: Run, desk: RunDesk) -> None:
        """What can be told of a run, whether it is over or not."""
        totals = run.totals().fields(iso8601)
        for name in ("events", "instants", "first", "last", "wall_seconds", "bad_rows"):
            setattr(self, name, totals[name])
        self.orders = desk.broker.ledger.account.sequence
        self.report = desk.report()._asdict()
        self.equity = desk.equity().points()

    def fail(self, ending: Ending) -> None:
        """It ended so."""
        self.status = ending.status
        self.error = {"code": ending.code, "message": str(ending)}

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        left_out = ("status", "equity")
        return {name: getattr(self, name) for name in self.__slots__ if name not in left_out}
