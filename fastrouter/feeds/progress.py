"""How far a replay is, for people at a terminal."""

from __future__ import annotations

import sys
from typing import Any, Protocol

__all__ = ["Progress", "terminal_progress"]


class Progress(Protocol):
    """What a replay tells of its progress: begin, moves, end; and again if it loops."""

    def begin(self, what: str, total: int) -> None: ...

    def move(self, position: int) -> None: ...

    def end(self) -> None: ...


class Bar:
    """A bar of rich's, on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as RichProgress

        self._bar: Any = RichProgress(console=Console(stderr=True), transient=True)
        self._task: Any = None

    def begin(self, what: str, total: int) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total)
        self._bar.start()

    def move(self, position: int) -> None:
        self._bar.update(self._task, completed=position)

    def end(self) -> None:
        self._bar.stop()


def terminal_progress() -> Progress | None:
    """A bar if standard error is a terminal and rich is installed, else None."""
    if not sys.stderr.isatty():
        return None
    try:
        return Bar()
    except ImportError:
        return None
