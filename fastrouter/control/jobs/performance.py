"""One job's process, from its start to its end.

What is expected of its program, as of ``fastrouter backtest --json --progress json``: lines of
output are what it likes, but ``{"progress": 0.25, …}`` tells how far it is, and the last that is a
JSON object with a ``report`` what came of it. An ``error`` there says in words why it failed, as a
status above 0 does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fastrouter.control.child import Child, how
from fastrouter.control.output import Log

__all__ = ["Outcome", "Performance", "Program"]

KEPT = 200  # lines in memory
LONGEST = 1 << 16  # bytes of a line, and so of a report
SHOWN = 10  # lines of an error
SHOWN_LENGTH = 2000  # characters of them


class Program(NamedTuple):
    """What is run."""

    command: Sequence[str]
    environment: Mapping[str, str]


class Outcome(NamedTuple):
    """How it ended; `result` or `error` says more."""

    status: str
    result: dict[str, Any] | None = None
    error: str | None = None


class Performance:
    """A job that runs, or is about to. `run` it once."""

    def __init__(self) -> None:
        self._log: Log | None = None
        self._child: Child | None = None
        self._why: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def stop(self, status: str, error: str) -> None:
        """End it, as this. The first who says so is heard."""
        if not self._why.done():
            self._why.set_result(Outcome(status, error=error))

    def kill(self) -> None:
        """End its process at once."""
        if self._child is not None:
            self._child.kill()

    async def run(
        self, program: Program, path: Path, seconds: float | None, grace: float, nice: int
    ) -> Outcome:
        """Run it, its output in the file at `path`, for up to `seconds`; `nice` as of `Child`."""
        if self._why.done():
            return self._why.result()
        try:
            self._log = Log(path, lines=KEPT, line=LONGEST)
        except OSError as error:
            return Outcome("failed", error=f"its log cannot be written: {error.strerror}")
        try:
            self._child = await Child.start(*program, self._log, nice)
        except OSError as error:
            return Outcome(
                "failed", error=f"{program.command[0]} cannot be run: {error.strerror or error}"
            )
        else:
            return await self._attend(self._child, self._log, seconds, grace)
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
    said = _object(lines, "report") or {}
    error = said.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return Outcome("failed", error=_with_last_lines(error["message"], lines))
    if code:
        return Outcome("failed", error=_with_last_lines(how(code), lines))
    if not isinstance(said.get("report"), dict):
        return Outcome("failed", error=_with_last_lines("it ended without a report", lines))
    rest = {name: value for name, value in said.items() if name not in ("report", "error")}
    return Outcome("completed", {**said["report"], **rest})


def _object(lines: Sequence[str], key: str) -> dict[str, Any] | None:
    """The JSON object of the last line that is one, and has that key."""
    return next((found for line in reversed(lines) if key in (found := _read(line))), None)


def _read(line: str) -> dict[str, Any]:
    """The object that a line is, {} of any other."""
    try:
        found = orjson.loads(line) if line.startswith("{") else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _with_last_lines(words: str, lines: Sequence[str]) -> str:
    text = [line for line in lines if line.strip() and not {"progress", "report"} & {*_read(line)}]
    last = "\n".join(text[-SHOWN:])[-SHOWN_LENGTH:]
    return f"{words}; its last lines:\n{last}" if last else f"{words}; it wrote nothing"
