"""A run's data as threads read it: a stretch at a time, given back when nobody wants more."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from .merge import Stretch
from .run import Run
from .track import row_of

__all__ = ["BadRows", "Stream"]

NAMED = 10  # bad rows of a run, in the log
MUCH = 8 << 20  # bytes that were read: what they leave free is worth to be looked for


class Stream:
    """What `open` yields; it is called by the first `take`. Threads may share it."""

    def __init__(self, open: Callable[[], Iterator[Stretch]]) -> None:
        self._open: Callable[[], Iterator[Stretch]] | None = open
        self._stretches: Iterator[Stretch] | None = None
        self._taken = 0  # bytes
        self._lock = Lock()

    def take(self) -> Stretch | None:
        """The next; None after the last, and when it is closed. Raises what `open` does."""
        with self._lock:
            if self._open is None:
                return None
            if self._stretches is None:
                self._stretches = self._open()
            stretch = next(self._stretches, None)
            self._taken += 0 if stretch is None else stretch.size
            return stretch

    def close(self) -> None:
        """Give back files and memory, as soon as who takes has taken."""
        with self._lock:
            stretches, self._open, self._stretches = self._stretches, None, None
        close = getattr(stretches, "close", None)
        if close is not None:
            close()
        del stretches, close
        if self._taken >= MUCH:
            _trim()


def _trim() -> None:
    """Have the C library give free memory back: it keeps what threads have freed, else for good."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


class BadRows:
    """Counts the rows of a run that are left out, and names the first in `log`; None: none."""

    def __init__(self, run: Run, log: logging.Logger | None) -> None:
        self._run = run
        self._log = log

    def __call__(self, path: Path, number: int, why: str) -> None:
        self._run.bad_rows += 1
        if self._log is not None and self._run.bad_rows <= NAMED:
            row = row_of(path, number)
            self._log.warning("run %s: %s is left out: %s", self._run.id, row, why)

    def end(self) -> None:
        """All is read: say how many there were, if not all are named."""
        if self._log is not None and self._run.bad_rows > NAMED:
            self._log.warning("run %s: %d bad rows in all", self._run.id, self._run.bad_rows)
