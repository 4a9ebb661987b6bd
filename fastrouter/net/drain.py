"""How a server's sessions are told to go, so that a fleet does not come back in one instant.

::

    DISCONNECTING to all
        │  sessions in random order, 5 ms apart, all within 80 % of the grace;
        ▼  who has not taken its bytes yet is passed over for now
    1001 "draining; retry_after=S"
        │  the rest as each becomes free
        ▼
    the end of the grace: who is left is cut
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from random import Random
from typing import NamedTuple, Protocol

from fastrouter.errors import CloseCode

__all__ = ["SPREAD", "Drain", "Drainable", "Spread"]

STEP = 0.005  # s between two looks at who is due, and at what still waits


class Spread(NamedTuple):
    """How far apart sessions are closed, and asked to come back. Seconds."""

    apart: float = 0.005  # between two closes
    share: float = 0.8  # of the grace that the closes may take
    soonest: float = 0.5  # to come back
    stretch: float = 3.0  # how much wider returns are spread than closes …
    least: float = 1.0  # … but by this at least

    def closing(self, sessions: int, grace: float) -> float:
        """Seconds from the first close to one after the last."""
        return min(sessions * self.apart, self.share * grace)

    def retry_after(self, sessions: int, grace: float, random: Random) -> float:
        """Seconds after which one of so many sessions may come back."""
        width = max(self.least, self.stretch * self.closing(sessions, grace))
        return self.soonest + random.random() * width


SPREAD = Spread()


class Drainable(Protocol):
    """The side of a session that a drain sees."""

    @property
    def waiting(self) -> bool:
        """Does anything wait to be sent?"""

    def close(self, code: int, reason: str = "") -> None: ...

    def abort(self) -> None: ...


class Drain:
    """Closes sessions. `open_sessions` loses each by itself when its connection is gone.

    `grace` is in seconds from now on; `now` and `sleep` are of one clock.
    """

    def __init__(
        self,
        open_sessions: Collection[Drainable],
        grace: float,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        spread: Spread = SPREAD,
        random: Random | None = None,
    ) -> None:
        self._open = open_sessions
        self._grace = grace
        self._now = now
        self._sleep = sleep
        self._spread = spread
        self._random = Random() if random is None else random
        self._count = len(open_sessions)
        self._began = now()
        self._aborted: set[Drainable] = set()

    @property
    def cut(self) -> int:
        """How many sessions were aborted before they were done."""
        return len(self._aborted)

    def retry_after(self) -> float:
        """Seconds after which one that is sent away may come back."""
        return self._spread.retry_after(self._count, self._grace, self._random)

    async def run(self) -> None:
        """Close every session; abort what is left of them at the end of the grace."""
        try:
            await self._close_all()
            while self._open and not self._over():  # close frames wait for their answers
                await self._sleep(STEP)
        finally:
            self.cut_off()

    def cut_off(self) -> None:
        """Abort every session that is left; each counts once."""
        for session in list(self._open):
            if session not in self._aborted:
                self._aborted.add(session)
                session.abort()

    async def _close_all(self) -> None:
        queue = list(self._open)
        self._random.shuffle(queue)
        width = self._spread.closing(self._count, self._grace)
        late: list[Drainable] = []  # their turn came while bytes waited
        taken = 0
        while (late or taken < len(queue)) and self._open and not self._over():
            passed = self._now() - self._began
            due = len(queue) if passed >= width else int(passed / width * len(queue)) + 1
            late = [one for one in late + queue[taken:due] if not self._close(one)]
            taken = due
            await self._sleep(STEP)

    def _close(self, session: Drainable) -> bool:
        if session.waiting:
            return False
        session.close(CloseCode.DRAIN, f"draining; retry_after={self.retry_after():.1f}")
        return True

    def _over(self) -> bool:
        return self._now() - self._began >= self._grace
