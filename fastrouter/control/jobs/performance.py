"""One job's process, from its start to its end.

What is expected of its program: it writes what it likes, and as the last line a JSON object, its
report, and ends with status 0. Meanwhile lines ``{"progress": 0.25, …}`` tell how far it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fastrouter.control.child import Child, how
from fastrouter.control.output import Log

__all__ = ["Outcome", "Performance"]

KEPT = 200  # lines in memory
LONGEST = 1 << 16  # bytes of a line, and so of a report
SHOWN = 10  # lines of an error
SHOWN_LENGTH = 2000  # characters of them


class Outcome(NamedTuple):
    """How it ended; `result` or `error` says more."""

    status: str
    result: dict[str, Any] | None = None
    error: str | None = None


class Performance:
    """A job that runs, or is about to. `run` it once."""

    def __init__(self) -> None:
        self._log: Log | None = None
        self._why: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def stop(self, status: str, error: str) -> None:
        """End it, as this. The first who says so is heard."""
        if not self._why.done():
            self._why.set_result(Outcome(status, error=error))

    async def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        path: Path,
        seconds: float | None,
        grace: float,
    ) -> Outcome:
        """Run it, its output in the file at `path`, for up to `seconds`."""
        if self._why.done():
            return self._why.result()
        try:
            self._log = Log(path, lines=KEPT, line=LONGEST)
        except OSError as error:
            return Outcome("failed", error=f"its log cannot be written: {error.strerror}")
        try:
            child = await Child.start(command, environment, self._log)
        except OSError as error:
            return Outcome("failed", error=f"{command[0]} cannot be run: {error.strerror or error}")
        else:
            return await self._attend(child, self._log, seconds, grace)
        finally:
            self._log.close()

    async def _attend(self, child: Child, log: Log, seconds: float | None, grace: float) -> Outcome:
        ending = asyncio.create_task(child.wait(), name=f"the end of {child.pid}")
        try:
            either: list[asyncio.Future[Any]] = [ending, self._why]
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return _judged(ending.result(), log.tail(KEPT))
            self.stop("failed", f"not done within {seconds or 0:g} s")
            return self._why.result()
        finally:
            await child.stop(grace)
            await ending

    @property
    def progress(self) -> dict[str, Any] | None:
        """What it last told of how far it is."""
        return None if self._log is None else _object(self._log.tail(KEPT), "progress")


def _judged(code: int, lines: Sequence[str]) -> Outcome:
    """What the end of a process is to its job."""
    if code:
        return Outcome("failed", error=_with_last_lines(how(code), lines))
    report = _object(lines)
    if report is None:
        return Outcome("failed", error=_with_last_lines("it ended without a report", lines))
    return Outcome("completed", report)


def _object(lines: Sequence[str], key: str | None = None) -> dict[str, Any] | None:
    """The JSON object of the last line that is one, and has that key."""
    for line in reversed(lines):
        if not line.startswith("{"):
            continue
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict) and (key is None or key in found):
            return found
    return None


def _with_last_lines(words: str, lines: Sequence[str]) -> str:
    last = "\n".join(line for line in lines[-SHOWN:] if line.strip())[-SHOWN_LENGTH:]
    return f"{words}; its last lines:\n{last}" if last else f"{words}; it wrote nothing"
