"""Kill the server in mid-stream, again and again; nobody may miss an event of the lossless lane.

The server keeps a journal in a file. It is killed by SIGKILL at random moments and started again
on the same port; every session comes back with the highest id it saw. What each saw over all its
connections must be what the journal holds, in order, without a hole and without anything twice.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from .child import Child, ChildFailed, raise_file_limit
from .measure import free_port

TARGET = (sys.executable, "-m", "fastrouter.bench.target")
SWARM = (sys.executable, "-m", "fastrouter.bench.swarm")
UP = (0.2, 2.0)  # s a server lives, at random between
RATES = ("--orders", "300", "--signals", "100", "--candles", "50", "--quotes", "200")
TAIL = 0.5  # s of traffic after the last start


def run(options: argparse.Namespace, folder: Path, log: IO[bytes]) -> dict[str, Any]:
    """Crash the server `options.crashes` times; what the swarm says of it."""
    rng = random.Random(options.seed)
    port = free_port()
    command = (*TARGET, "--port", str(port), "--journal", str(folder / "journal.db"), *RATES)
    server = serve(command, log)
    try:
        swarm = Child((*SWARM, "--port", str(port), "--sessions", str(options.sessions)))
        with swarm:
            swarm.hear_word("READY", 60)
            server.tell("START")
            server.hear()
            for _ in range(options.crashes):
                time.sleep(rng.uniform(*UP))
                server.signal(signal.SIGKILL)
                server.close()
                server = serve(command, log)
                server.tell("START")
                server.hear()
            time.sleep(TAIL)
            server.tell("PAUSE")
            server.hear()
            swarm.tell("JUDGE")
            return swarm.hear_json(120)
    finally:
        server.close()


def serve(command: Sequence[str], log: IO[bytes]) -> Child:
    """A server that listens."""
    server = Child(command, stderr=log.fileno())
    server.hear_word("PORT", 60)
    return server


def faults(found: dict[str, Any], crashes: int, log: IO[bytes]) -> list[str]:
    """What was not as it must be."""
    wrong: list[str] = list(found["faults"])
    if found["gaps"]:
        wrong.append("the journal announced a gap")
    if not found["in order"]:
        wrong.append("the journal's events are not in order")
    if found["connections"] < (crashes + 1) * found["healthy"]:
        wrong.append(f"only {found['connections']} connections: not everybody came back")
    log.seek(0)
    return wrong + [f"log: {line.decode()[:200]}" for line in log if b"Traceback" in line]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when nothing was lost, 1 with what was, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="fastrouter bench crash", description=__doc__)
    parser.add_argument("--crashes", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    raise_file_limit()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="fastrouter-crash-") as folder,
            tempfile.TemporaryFile() as log,
        ):
            found = run(options, Path(folder), log)
            wrong = faults(found, options.crashes, log)
    except ChildFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found | {"faults": wrong}))
    else:
        print(
            f"{options.crashes} crashes, {found['connections']:,} connections of "
            f"{found['healthy']:,} sessions: {found['events']:,} lossless events in the journal, "
            f"{found['lossless']:,} seen"
        )
        for fault in wrong:
            print(f"FAULT  {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
