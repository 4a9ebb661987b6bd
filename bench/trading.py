"""Orders for a while, from a process of its own: what the orders bench runs beside its sessions.

Those who send orders must not keep those waiting who time quotes, as they would in one process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import uvloop

from .traders import Trader

__all__ = ["command", "main"]

NICE = 5  # whoever times quotes comes first where both have one CPU


def command(
    port: int, clients: int, rate: float, seconds: float, symbols: Sequence[str], seed: int
) -> list[str]:
    """What to run; it prints latencies (ms), accepted ids and refusals as one JSON object."""
    told = map(str, (port, clients, rate, seconds, ",".join(symbols), seed))
    return [sys.executable, "-m", __name__, *told]


async def trade(
    port: int, clients: int, rate: float, seconds: float, symbols: list[str], seed: int
) -> dict[str, Any]:
    """All clients together send `rate` orders a second."""
    traders = [
        Trader(seed * clients + number, port, clients / rate, symbols) for number in range(clients)
    ]
    await asyncio.gather(*(trader.trade(seconds) for trader in traders))
    return {
        "latencies": [one for trader in traders for one in trader.latencies],
        "accepted": {name: one for trader in traders for name, one in trader.accepted.items()},
        "refused": [why for trader in traders for why in trader.refused],
    }


def main() -> None:
    port, clients, rate, seconds, symbols, seed = sys.argv[1:]
    os.nice(NICE)
    found = uvloop.run(
        trade(int(port), int(clients), float(rate), float(seconds), symbols.split(","), int(seed))
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
