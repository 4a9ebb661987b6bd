"""A server of backtests alone, for measuring: prints ``PORT n``, serves until its input ends."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from fastrouter import Router
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.host import Engine
from fastrouter.net.clock import MonotonicClock
from fastrouter.net.route import Route


async def _run(folder: Path) -> None:
    engine = Engine(Catalog(folder), MonotonicClock())
    group = Router().group()
    server = await group.serve("127.0.0.1", 0, [Route("/ws", manners="backtest", venue=engine)])
    print(f"PORT {server.port}", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    await group.close(0)
    await engine.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the data sets of one folder."""
    parser = argparse.ArgumentParser(prog="fastrouter.bench.stage", description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    uvloop.run(_run(options.folder))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
