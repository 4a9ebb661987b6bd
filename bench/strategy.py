"""A strategy that does nothing, by the SDK: it takes what comes and acknowledges it.

Prints one JSON line of how many events there were and how long they took.
"""

from __future__ import annotations

import json
import sys
import time

import uvloop

import fastrouter
from fastrouter import Event, Quote


async def _run(url: str) -> dict[str, object]:
    count, last, complete = 0, 0, False
    began = ended = time.perf_counter()
    async with fastrouter.connect(url, ack=True, reconnect=False) as connection:
        while events := await connection.take():
            for event in events:
                if not isinstance(event, Quote):
                    told = event.payload if isinstance(event, Event) else {}
                    complete |= told.get("event") == "BACKTEST_COMPLETE"
                    continue
                if event.id <= last:
                    raise SystemExit(f"evt_{event.id} came after evt_{last}")
                last = event.id
                count += 1
                ended = time.perf_counter()
    return {"events": count, "seconds": ended - began, "complete": complete}


def main() -> int:
    """Run against the URL that is the one argument."""
    print(json.dumps(uvloop.run(_run(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
