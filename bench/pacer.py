"""A strategy that orders at a pace, by the SDK: what the strategies bench has the server run.

It signals when it is ready. A signal whose metadata has ``begin`` (Unix seconds), ``seconds`` and
``interval`` (s from order to order) begins a round, at the end of which it writes what became of
its orders to the file that is its first argument, and signals again. Its second are the CPUs that
it keeps to.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

import fastrouter
from fastrouter.client.trading import Trading

from .traders import Mix


class Pacer:
    """Orders of one symbol. Latencies are in ms, from when an order was due."""

    def __init__(self, desk: Trading, symbol: str, report: Path) -> None:
        self._desk = desk
        self._symbol = symbol
        self._report = report
        self._mix = Mix(desk.strategy_id, symbol)
        self._accepted: dict[str, str] = {}
        self._refused: list[str] = []
        self._latencies: list[float] = []

    async def ready(self) -> None:
        """Say so."""
        await self._desk.signal(self._symbol, "HOLD")

    async def round(self, begin: float, seconds: float, interval: float) -> None:
        """Order from a moment of its own on, report, and be ready for another."""
        self._latencies.clear()
        begin += time.perf_counter() - time.time()
        due = begin + self._mix.random.random() * interval
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self._order(due)
            due += interval
        found = {
            "latencies": self._latencies,
            "accepted": self._accepted,
            "refused": self._refused,
        }
        self._report.write_text(json.dumps(found))
        await self.ready()

    async def _order(self, due: float) -> None:
        fields: dict[str, Any] = self._mix.order()
        try:
            order = await self._desk.submit(**fields)
        except fastrouter.FastrouterError as error:
            self._refused.append(f"{error.code}: {error}")
        else:
            self._accepted[fields["client_order_id"]] = order.id
        self._latencies.append((time.perf_counter() - due) * 1e3)


async def run(symbol: str, report: Path) -> None:
    """Until the stream ends. Whatever comes is taken, in a round too."""
    async with fastrouter.connect() as events, fastrouter.trading() as desk:
        pacer = Pacer(desk, symbol, report)
        await pacer.ready()
        async with asyncio.TaskGroup() as rounds:
            async for event in events:
                if isinstance(event, fastrouter.Event) and event.kind == "signal":
                    told = event.payload.get("metadata") or {}
                    if "begin" in told:
                        rounds.create_task(pacer.round(**told))


def main() -> None:
    report, cpus = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    uvloop.run(run(os.environ["STRATEGY_SYMBOLS"], Path(report)))


if __name__ == "__main__":
    main()
