"""A run without a loop or a socket, and clients of it that can be asked what they got."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE, Rows
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.engine.member import Member
from fastrouter.engine.merge import stretches
from fastrouter.engine.run import Run
from fastrouter.engine.track import Block

START = 1_735_689_600_000_000_000  # 2025-01-01T00:00:00Z
SECOND = 1_000_000_000
DIALECT = load("trading-api")
ALL = (("*", "quote"), ("*", "candle@1m"))


def quotes(*rows: tuple[int, str]) -> Rows:
    """Quotes by second and symbol; the bid is their number."""
    array = np.zeros(len(rows), QUOTE_DTYPE)
    for number, (second, symbol) in enumerate(rows):
        array[number] = (symbol.encode(), START + second * SECOND, number, 1, 1, 1, 1)
    return array


def candles(*rows: tuple[int, str]) -> Rows:
    """Closed 1m candles by second and symbol."""
    array = np.zeros(len(rows), CANDLE_DTYPE)
    for number, (second, symbol) in enumerate(rows):
        time = START + second * SECOND
        array[number] = (symbol.encode(), b"1m", time, number, 9, 0, 1, 5, True)
    return array


def feed(run: Run, *files: Rows) -> None:
    """Give it everything at once."""
    for stretch in stretches([[Block(rows["time"].copy(), rows)] for rows in files]):
        run.tape.feed(stretch)
    run.tape.end()


class Client:
    """A member of a run, on a memory sink."""

    def __init__(
        self,
        run: Run,
        patterns: Iterable[tuple[str, str]] = ALL,
        room: int | None = None,
        ready: bool = True,
    ) -> None:
        self.run = run
        self.patterns = list(patterns)
        self.sink = MemorySink(room)
        self.outbox = run.router.attach(self.sink, DIALECT)
        self.outbox.subscribe(self.patterns)
        self.member: Member = run.join(self.outbox)
        self.frames: list[bytes] = []
        if ready:
            run.begin(self.member)

    def read(self) -> list[dict[str, Any]]:
        """What came since the last call."""
        found = self.sink.messages()
        self.frames += found
        return [orjson.loads(message) for message in found]

    def ids(self) -> list[int]:
        return [int(message["id"][4:]) for message in self.read()]

    def ack(self, *numbers: int) -> None:
        self.member.acknowledge(numbers)

    def play(self) -> list[bytes]:
        """Acknowledge everything until nothing comes any more; all that ever came."""
        while ids := self.ids():
            self.ack(*ids)
        return self.frames

    def lose(self) -> None:
        """The connection is lost."""
        self.outbox.close()
        self.run.leave(self.member)

    def come_back(self) -> None:
        """Another connection, to the same member."""
        self.sink = MemorySink()
        self.outbox = self.run.router.attach(self.sink, DIALECT)
        self.outbox.hold()
        self.outbox.subscribe(self.patterns)
        self.run.resume(self.member, self.outbox)
        self.run.turn()


def new_run(*files: Rows, wall: Clock | None = None, **options: Any) -> Run:
    """A run over these files, which waits for its clients."""
    run = Run("run_1", Clock(1) if wall is None else wall, **options)
    if files:
        feed(run, *files)
    return run
