"""How far a backtest is, for people and for programs. All of it goes to standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import orjson
import typer

from fastrouter.core.leaves import iso8601

__all__ = ["PROGRESS", "Progress", "progress_of"]

APART = 1.0  # s between two lines
SECOND = 1_000_000_000


class Progress:
    """Says nothing. The others are told the same."""

    def begin(self, first: int, last: int) -> None:
        """The first and the last instant, ns; 0, 0 when they are not known."""
        self.first, self.last = first, last

    def move(self, now: int, events: int, orders: int) -> None:
        """The simulated time, ns, and how many there were."""

    def end(self) -> None:
        """It is over. Safe to call again, and before `begin`."""

    def is_at(self, stream: TextIO) -> bool:
        """Does it draw where that writes?"""
        return False

    def write(self, text: str) -> None:
        """A text for people that has nothing to do with it."""
        typer.echo(text, err=True, nl=False)


class Lines(Progress):
    """A line now and then."""

    def __init__(self) -> None:
        self.first = self.last = 0
        self._said = self._began = time.monotonic()
        self._events = 0

    def move(self, now: int, events: int, orders: int) -> None:
        """See `Progress.move`."""
        wall = time.monotonic()
        if wall - self._said < APART:
            return
        rate = (events - self._events) / (wall - self._said)
        self._said, self._events = wall, events
        typer.echo(self.line(now, events, rate, orders), err=True)

    def share(self, now: int) -> float | None:
        """Of the simulated time, 0 to 1; None when that is not known."""
        whole = self.last - self.first
        return min(1.0, max(0.0, (now - self.first) / whole)) if whole > 0 else None

    def line(self, now: int, events: int, rate: float, orders: int) -> str:
        share = self.share(now)
        begin = " " * 4 if share is None else f"{share:4.0%}"
        return (
            f"{begin}  {iso8601(now)[:19]}  {events} events, {rate:,.0f} a second, {orders} orders"
        )


class Json(Lines):
    """The same, a JSON object each."""

    def line(self, now: int, events: int, rate: float, orders: int) -> str:
        share = self.share(now)
        return orjson.dumps(
            {
                "progress": None if share is None else round(share, 4),
                "time": iso8601(now),
                "events": events,
                "events_per_second": round(rate),
                "orders": orders,
            }
        ).decode()


class Bar(Lines):
    """A bar at a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress

        super().__init__()
        self._console = Console(stderr=True, highlight=False)
        self._bar: Any = RichProgress(
            TextColumn("{task.fields[time]}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[events]:,} events  {task.fields[rate]:,.0f}/s"),
            TextColumn("{task.fields[orders]:,} orders"),
            console=self._console,
            transient=True,
        )
        self._task: Any = None

    def begin(self, first: int, last: int) -> None:
        """See `Progress.begin`."""
        super().begin(first, last)
        fields = {"time": iso8601(first)[:19], "events": 0, "rate": 0.0, "orders": 0}
        self._task = self._bar.add_task("", total=last - first or None, **fields)
        self._bar.start()

    def move(self, now: int, events: int, orders: int) -> None:
        """See `Progress.move`."""
        wall = time.monotonic()
        if self._task is None or wall == self._said:
            return
        self._bar.update(
            self._task,
            completed=now - self.first,
            time=iso8601(now)[:19],
            events=events,
            rate=(events - self._events) / (wall - self._said),
            orders=orders,
        )
        if wall - self._said >= APART:
            self._said, self._events = wall, events

    def end(self) -> None:
        """See `Progress.end`."""
        self._bar.stop()

    def is_at(self, stream: TextIO) -> bool:
        """See `Progress.is_at`."""
        return stream.isatty()

    def write(self, text: str) -> None:
        """Above the bar."""
        self._console.print(text, end="", markup=False, soft_wrap=True)


def _bar() -> Progress:
    """Of what is no terminal a bar would be a heap of them."""
    return Bar() if sys.stderr.isatty() else Lines()


PROGRESS: dict[str, Callable[[], Progress]] = {"bar": _bar, "json": Json, "none": Progress}


def progress_of(name: str | None) -> Progress:
    """By its name; None: a bar at a terminal, else nothing."""
    if name is None:
        name = "bar" if sys.stderr.isatty() else "none"
    return PROGRESS[name]()
