"""The desk of strategies: what they say bears their id and what people call them; it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastrouter.broker import Broker, Change
from fastrouter.control.desk import Desk
from fastrouter.control.tally import Tally

__all__ = ["Named"]


class Named:
    """The same `fastrouter.control.desk.Desk`; `name_of` says what a strategy is called."""

    def __init__(self, desk: Desk, name_of: Callable[[str], str | None], tally: Tally) -> None:
        self._desk = desk
        self._name_of = name_of
        self._tally = tally

    @property
    def broker(self) -> Broker:
        return self._desk.broker

    def now(self) -> int:
        return self._desk.now()

    async def change(self, call: Callable[[Broker, int], Change]) -> Change:
        begun = time.perf_counter_ns()
        try:
            return await self._desk.change(call)
        finally:
            self._tally.answered(time.perf_counter_ns() - begun)

    async def settled(self) -> None:
        await self._desk.settled()

    def signal(self, payload: dict[str, Any]) -> str:
        """The ``strategy`` of one that says none is its ``strategy_id``, as in all other events."""
        strategy_id = payload.get("strategy_id", "")
        name = self._name_of(strategy_id)
        if name is not None:
            payload = payload | {"strategy": strategy_id, "name": name} | payload
        return self._desk.signal(payload)
