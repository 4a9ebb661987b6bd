"""Thousands of sessions for a long while: some never read, some are cut off and come back.

Mixed traffic: quotes, orders, closed candles, signals. Checked are that nothing of the lossless
lane is lost or comes twice over all of a session's connections, that memory is flat once it is
warm, and that those who read are served as fast as in a run in which nobody stalls.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .child import Child, ChildFailed, raise_file_limit

TARGET = (sys.executable, "-m", "fastrouter.bench.target")
SWARM = (sys.executable, "-m", "fastrouter.bench.swarm")
RATES = ("--orders", "4", "--signals", "2", "--candles", "2", "--quotes", "12")
FLOOD = 5.0  # bursts of 8 KB a second for who stalls, until the kernel holds no more
OUTBOX = 64 << 10  # bytes; who stalls fills it and is closed, many times in a run
WARM_UP = 0.25  # of the seconds
GROWTH = 8 << 20  # bytes between two quarters of a run that count as flat
RATIO = 1.5  # of the p99 with stalled sessions to that without
QUIET = 2_000.0  # us; below it a ratio says nothing
LOG = 4000  # characters of a log that are shown
REFERENCE = 120.0  # s at most for the run in which nobody stalls


@dataclass
class Found:
    """One run: what the swarm judged, and the server's resident memory, second by second."""

    swarm: dict[str, Any]
    server: dict[str, Any]
    resident: list[int]
    log: list[str]

    @property
    def p99_us(self) -> float:
        return float(self.swarm["p99_us"])

    @property
    def growth(self) -> float:
        """Bytes between the second quarter and the last."""
        quarter = max(1, len(self.resident) // 4)
        second = self.resident[quarter : 2 * quarter]
        return statistics.median(self.resident[-quarter:]) - statistics.median(second)

    def faults(self) -> list[str]:
        """What was not as it must be."""
        swarm, wrong = self.swarm, list(self.swarm["faults"])
        number = self.server["number"]
        if swarm["events"] != number:
            wrong.append(f"{number} lossless events, but the journal has {swarm['events']}")
        if swarm["gaps"] or not swarm["in order"]:
            wrong.append("the journal has a gap or is not in order")
        if self.growth > GROWTH:
            wrong.append(f"memory grew by {self.growth / 1024:,.0f} KiB")
        return wrong + self.log


def run(sessions: int, seconds: float, stalled: float, kills: float, flood: float) -> Found:
    """Serve `sessions` for `seconds`."""
    with (
        tempfile.TemporaryDirectory(prefix="fastrouter-soak-") as folder,
        tempfile.TemporaryFile() as log,
    ):
        command = (*TARGET, *RATES, "--outbox-bytes", str(OUTBOX),
                   "--journal", str(Path(folder, "journal.db")), "--flood", str(flood))  # fmt: skip
        with Child(command, stderr=log.fileno()) as server:
            port = server.hear_word("PORT", 60)
            options = ("--port", port, "--sessions", str(sessions), "--stalled", str(stalled),
                       "--kills", str(kills))  # fmt: skip
            with Child((*SWARM, *options)) as swarm:
                swarm.hear_word("READY", 120)
                return watch(server, swarm, seconds, log)


def watch(server: Child, swarm: Child, seconds: float, log: IO[bytes]) -> Found:
    """Let them run, weigh the server each second, then have the swarm judge."""
    say(server, "START")
    resident = []
    end = time.monotonic() + seconds
    warm = time.monotonic() + WARM_UP * seconds
    while time.monotonic() < end:
        time.sleep(min(1.0, seconds / 20))
        resident.append(server.resident())
        if time.monotonic() > warm:
            say(swarm, "MARK")
            warm = float("inf")
    last = say(server, "PAUSE")
    judged = say(swarm, "JUDGE")
    log.seek(0)
    return Found(judged, last, resident, trouble(log.read().decode()))


def trouble(log: str) -> list[str]:
    """The last tracebacks of a log, whole; none when there is none."""
    return [f"log: {log[-LOG:]}"] if "Traceback" in log else []


def say(child: Child, word: str) -> dict[str, Any]:
    child.tell(word)
    return child.hear_json(180)


def describe(name: str, found: Found) -> str:
    swarm, router = found.swarm, found.server["router"]
    return (
        f"{name}: {swarm['events']:,} lossless events, {swarm['lossless']:,} of them and "
        f"{swarm['quotes']:,} quotes delivered; {swarm['killed']:,} cut off, "
        f"{swarm['connections']:,} connections, {swarm['stalled']:,} of them by who stalls, "
        f"{sum(router['conflated'].values()):,} events conflated, "
        f"{router['given_up']['overflow']:,} slow consumers closed; "
        f"p50 {swarm['p50_us'] / 1000:.1f} ms, "
        f"p99 {found.p99_us / 1000:.1f} ms; "
        f"resident {found.resident[len(found.resident) // 4] >> 10:,} -> "
        f"{found.resident[-1] >> 10:,} KiB ({found.growth / 1024:+,.0f})"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when all holds, 1 with what does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="fastrouter bench soak", description=__doc__)
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--stalled", type=float, default=0.05, help="the share that never reads")
    parser.add_argument("--kills", type=float, help="a second; default: a session in 200")
    parser.add_argument(
        "--flood", type=float, default=FLOOD, help="bursts a second, for who stalls"
    )
    parser.add_argument("--no-ratio", action="store_true", help="the p99s are told, not judged")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    kills = options.sessions / 200 if options.kills is None else options.kills
    raise_file_limit()
    try:
        reference = run(
            options.sessions, min(options.seconds, REFERENCE), 0.0, kills, options.flood
        )
        found = run(options.sessions, options.seconds, options.stalled, kills, options.flood)
    except ChildFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    faults = reference.faults() + found.faults()
    ratio = found.p99_us / max(reference.p99_us, QUIET)
    if ratio > RATIO and not options.no_ratio:
        faults.append(f"p99 is {ratio:.2f} times that without stalled sessions; allowed: {RATIO}")
    if options.json:
        print(json.dumps({"reference": reference.swarm, "soak": found.swarm, "ratio": ratio,
                          "resident": found.resident, "faults": faults}))  # fmt: skip
    else:
        print(describe("nobody stalls", reference))
        print(describe(f"{options.stalled:.0%} stall", found))
        print(f"p99 {ratio:.2f} times that without")
        for fault in faults:
            print(f"FAULT  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
