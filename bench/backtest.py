"""Lock-step end to end: a client that acknowledges each instant, beside a ping-pong in plain C.

One quote an instant. The floor sends the very bytes that a run sends, recorded, and reads each
answer without a look. Subjects take turns, in many short rounds.
Every round checks what arrived: how many events, the hash of their bytes, the end. Ratios are of
the best rounds: other programs make a round slower, and never faster.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastrouter.core.clock import Clock
from fastrouter.core.dtypes import Rows
from fastrouter.core.sink import MemorySink
from fastrouter.dialects import load
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.run import Run
from fastrouter.feeds.market import Market, market_symbols

from .child import Child, ChildFailed
from .toolchain import CompilerMissing, compile_program

PATIENCE = 120.0
START, APART = 1_735_828_200_000, 1000  # ms
FLOOR, POLLED, COMPILED = "floor", "floor, by epoll", "compiled client"
WINDOW, FIRST, SDK = "window=64", "window=64, first read", "SDK client"
QUOTES = "subscriptions=*:quote"

#: a subject is to be at least so many times another
AIMS = (
    (COMPILED, FLOOR, 0.7),
    (COMPILED, POLLED, None),
    (WINDOW, COMPILED, 10.0),
    (FIRST, COMPILED, 10.0),
)
SDK_AIM = 15_000  # events a second


def write_data(folder: Path, count: int) -> None:
    """One CSV file of quotes, each a second after the last."""
    market, left = Market(market_symbols(6), 1), count
    with open(folder / "quotes.csv", "w") as file:
        file.write("time,symbol,bid,ask,last,bid_size,ask_size\n")
        while left:
            rows = market.take(left)
            file.writelines(_lines(rows, count - left))
            left -= len(rows)


def _lines(rows: Rows, first: int) -> Iterator[str]:
    for number, row in enumerate(rows.tolist(), first):
        symbol, _, *numbers = row
        yield f"{START + number * APART},{symbol.decode()},{','.join(map(repr, numbers))}\n"


def record(folder: Path, out: Path) -> None:
    """Play a run in this process, and write its batches as the floor reads them."""
    run = Run("floor", Clock())
    for stretch in Catalog(folder).open("quotes").stretches():
        run.tape.feed(stretch)
    run.tape.end()
    sink = MemorySink()
    outbox = run.router.attach(sink, load("trading-api"))
    outbox.subscribe([("*", "quote")])
    member = run.join(outbox)
    run.begin(member)
    number = 0
    with open(out, "wb") as file:
        while sink.data:
            file.write(struct.pack("=I", len(sink.data)) + sink.data)
            sink.messages()
            number += 1
            member.acknowledge([number])


class Stage:
    """The servers, and the clients that take turns with them."""

    def __init__(self, folder: Path, count: int) -> None:
        data = folder / "data"
        data.mkdir()
        write_data(data, count)
        record(data, folder / "batches")
        self._reads = 0
        self._client = str(compile_program("lockstep", folder))
        floor = [str(compile_program("pingpong", folder)), str(folder / "batches")]
        ours = [sys.executable, "-m", "fastrouter.bench.stage", str(data)]
        commands = {FLOOR: floor, POLLED: [*floor, "epoll"], COMPILED: ours}
        self._ends = contextlib.ExitStack()
        self._ports = {
            name: self._ends.enter_context(Child(command)).hear_word("PORT")
            for name, command in commands.items()
        }

    def close(self) -> None:
        """End the servers."""
        self._ends.close()

    def measure(self, subject: str) -> dict[str, Any]:
        """One round of one subject."""
        port = self._ports.get(subject) or self._ports[COMPILED]
        target = f"/ws?{QUOTES}" + ("&window=64" if subject in (WINDOW, FIRST) else "")
        if subject == FIRST:  # of a span that was not asked for before: it is not in memory
            self._reads += 1
            target += f"&start={START - self._reads}"
        command = [self._client, "127.0.0.1", port, target]
        if subject == SDK:
            url = f"ws://127.0.0.1:{port}{target}"
            command = [sys.executable, "-m", "fastrouter.bench.strategy", url]
        with Child(command) as client:
            return client.hear_json(PATIENCE)


def fault(count: int, hashes: set[str], found: dict[str, Any]) -> str:
    """What is wrong with what arrived; "" when nothing is."""
    if "hash" in found:
        hashes.add(found["hash"])
    if len(hashes) > 1:
        return "the bytes differ"
    if found["events"] != count:
        return f"{found['events']} events of {count}"
    return "" if found["complete"] else "it has not ended"


def summary(best: dict[str, float]) -> dict[str, Any]:
    """Events a second of the best rounds, and what they are to each other."""
    ratios = {
        f"{name} / {other}": {"ratio": round(best[name] / best[other], 3), "aim": aim}
        for name, other, aim in AIMS
    }
    return {"events_per_second": {name: round(rate) for name, rate in best.items()},
            "ratios": ratios, "sdk_aim": SDK_AIM}  # fmt: skip


def _print(told: dict[str, Any]) -> None:
    for name, rate in told["events_per_second"].items():
        print(f"{name:24}{rate:>12,} events/s")
    for name, ratio in told["ratios"].items():
        aim = f"   aim {ratio['aim']}" if ratio["aim"] else ""
        print(f"{name:40}{ratio['ratio']:>8}{aim}")


def parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="fastrouter bench backtest", description=__doc__)
    add = parser.add_argument
    add("--events", type=int, default=20_000, help="in each round; 20,000")
    add("--rounds", type=int, default=15)
    add("--quick", action="store_true", help="one short round: does all arrive?")
    add("--json", action="store_true", help="the whole result on standard output")
    return parser


def run_all(stage: Stage, count: int, rounds: int) -> dict[str, float]:
    """The best rate of each subject. Raises ChildFailed when something did not arrive."""
    best: dict[str, float] = {}
    hashes: set[str] = set()
    for number in range(1, rounds + 1):
        for subject in (FLOOR, COMPILED, POLLED, WINDOW, FIRST, SDK):
            print(f"round {number} of {rounds}: {subject}", file=sys.stderr)
            found = stage.measure(subject)
            if why := fault(count, hashes, found):
                raise ChildFailed(f"{subject}: {why}")
            best[subject] = max(best.get(subject, 0.0), found["events"] / found["seconds"])
    return best


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when all arrived, 2 when not, or when it could not run."""
    options = parser().parse_args(arguments)
    count, rounds = (2000, 1) if options.quick else (options.events, options.rounds)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="fastrouter-bench-") as folder,
            contextlib.closing(Stage(Path(folder), count)) as stage,
        ):
            told = summary(run_all(stage, count, rounds))
    except (CompilerMissing, ChildFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        _print(told)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
