"""The pump: gives each replay its turn, so that none of them holds up the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastrouter.journal.replay import Replay

__all__ = ["Pump"]

TURN_BYTES = 1 << 18  # looked at before the loop gets its turn: some milliseconds
LARGEST_STEP = 1 << 18  # bytes a session is given before its socket has taken them
LEAST_STEP = 1 << 14
ALL_STEPS = 32 << 20  # bytes for all sessions at once


class Pump:
    """Replays that can go on, first come, first served."""

    def __init__(self) -> None:
        self.replays: set[Replay] = set()
        self._ready: deque[Replay] = deque()
        self._asked = False

    @property
    def step_bytes(self) -> int:
        """Of events, for one replay in one step: less for each when there are many."""
        share = ALL_STEPS // max(1, len(self.replays))
        return min(LARGEST_STEP, max(LEAST_STEP, share))

    def add(self, replay: Replay) -> None:
        """A replay begins."""
        self.replays.add(replay)
        self.ready(replay)

    def discard(self, replay: Replay) -> None:
        """A replay is over."""
        self.replays.discard(replay)

    def ready(self, replay: Replay) -> None:
        """A replay can go on."""
        self._ready.append(replay)
        self._ask()

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._asked = False
        looked_at = 0
        while self._ready and looked_at < TURN_BYTES:
            replay = self._ready.popleft()
            try:
                looked_at += replay.step()
            except Exception as error:  # a dialect's, say; it must not stop the others
                replay.fail(error)
        if self._ready:
            self._ask()
