"""Strategies as processes that order, beside sessions that time quotes: orders from end to end.

`fastrouter serve` starts the strategies itself; they order by the SDK and take their own quotes and
orders. Quotes are timed alone, beside the orders, and alone again, with the strategies idle. One
more session counts the terminal events of every order, and the books are reckoned anew at the end.

The server has one CPU, as in the other benches, all others have the rest of them. Whoever times
quotes comes before the strategies, where the system permits it: what is measured is the server, not
how long an instrument waits for a CPU on which 50 programs in Python run. With `--shared` everybody
is everywhere, as on a machine that nobody has set up: on few CPUs the server waits for one then,
unless it comes first, too (`--realtime`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

import fastrouter
from fastrouter.client.trading import Trading
from fastrouter.errors import FastrouterError

from . import orders
from .books import Books
from .child import Child, ChildFailed, raise_file_limit
from .measure import SERVER_CPU, free_port
from .orders import SYMBOLS, WARM_UP, figures
from .summary import Verdict
from .watcher import watching

ALONE = 30.0  # s, at most, of quotes without orders
LEAD = 1.0  # s from the word to the first orders
TAIL = 5.0  # s for the last events of orders to come
PATIENCE = 120.0  # s for all strategies to start, or to end a round
REALTIME = "[server]\nrealtime = true\n"
TABLE = """
[strategies.{name}]
command = {command}
symbols = ["{symbol}"]
subscriptions = "{symbol}:quote,{symbol}:order,{word}:signal"
autostart = true
max_restarts = 0
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="fastrouter bench strategies", description=__doc__)
    add = parser.add_argument
    add("--strategies", type=int, default=50)
    add("--rate", type=float, default=200.0, help="orders a second of all strategies; 200")
    add("--sessions", type=int, default=50, help="that hold all quotes; 50")
    add("--quotes", type=float, default=500.0, help="a second, of 20 symbols; 500")
    add("--seconds", type=float, default=60.0, help="of orders; 60")
    add("--shared", action="store_true", help="all on all CPUs")
    add("--realtime", action="store_true", help="the server with server.realtime")
    add("--quick", action="store_true", help="5 strategies for a second: do the books balance?")
    add("--json", action="store_true", help="the whole result on standard output")
    return parser


def places(shared: bool) -> tuple[int | None, set[int]]:
    """The server's place among our CPUs (None: all of them), and the CPUs of all others."""
    ours = sorted(os.sched_getaffinity(0))
    if shared or len(ours) < 2:
        return None, set(ours)
    return SERVER_CPU, set(ours) - {ours[SERVER_CPU]}


@contextmanager
def first_on(cpus: set[int]) -> Iterator[None]:
    """This process is there meanwhile, and before all ordinary ones, where that is permitted."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        first = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, first, os.sched_param(1))
    except PermissionError:
        print("those who time quotes wait with the strategies for a CPU", file=sys.stderr)
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


def configured(reports: dict[str, Path], cpus: Iterable[int]) -> str:
    """A table for each strategy, which keep to the CPUs; they take one symbol after the other."""
    tables = []
    there = ",".join(map(str, cpus))
    for number, (name, report) in enumerate(reports.items()):
        command = json.dumps(
            [sys.executable, "-P", "-m", "fastrouter.bench.pacer", str(report), there]
        )
        symbol = SYMBOLS[number % len(SYMBOLS)]
        tables.append(TABLE.format(name=name, command=command, symbol=symbol, word=SYMBOLS[0]))
    return "".join(tables)


async def measure(
    options: argparse.Namespace, server: Child, port: int, rest: int, reports: dict[str, Path]
) -> dict[str, Any]:
    """All rounds. Latencies in ms."""
    alone = min(options.seconds, ALONE)
    desk = fastrouter.trading(f"http://127.0.0.1:{rest}", strategy_id="")
    async with watching(f"ws://127.0.0.1:{port}") as watcher, desk:
        await watcher.heard(reports, 1, PATIENCE)
        listeners = await orders.listen(port, options.sessions)
        await begin(desk, options, min(WARM_UP, options.seconds))
        await watcher.heard(reports, 2, PATIENCE)
        before, _ = await orders.fanout(server, listeners, asyncio.sleep(alone))
        await begin(desk, options, options.seconds)
        beside, _ = await orders.fanout(server, listeners, asyncio.sleep(options.seconds))
        await watcher.heard(reports, 3, PATIENCE)
        after, _ = await orders.fanout(server, listeners, asyncio.sleep(alone))
        for listener in listeners:
            listener.close()
        found = reported(reports.values())
        await watcher.until(lambda: watcher.ends.total() >= len(found["accepted"]), TAIL)
    fanout = {"fanout_without_ms": [before, after], "fanout_beside_ms": [beside]}
    return found | fanout | {"ends": watcher.ends}


async def begin(desk: Trading, options: argparse.Namespace, seconds: float) -> None:
    """Give the word to order for so long; return when the first orders may be due."""
    due = time.time() + LEAD
    interval = options.strategies / options.rate
    what = {"begin": due, "seconds": seconds, "interval": interval}
    await desk.signal(SYMBOLS[0], "HOLD", metadata=what)
    await asyncio.sleep(max(0.0, due - time.time()))


def reported(reports: Iterable[Path]) -> dict[str, Any]:
    """What became of the orders, as all strategies were told."""
    found = [json.loads(report.read_text()) for report in reports]
    return {
        "acceptance_ms": figures([ms for one in found for ms in one["latencies"]]),
        "accepted": {name: order for one in found for name, order in one["accepted"].items()},
        "refused": [why for one in found for why in one["refused"]],
    }


def misended(books: Books, ends: Mapping[str, int]) -> list[str]:
    """Orders that have not exactly one terminal event, and events of orders there are not."""
    known = {order["id"] for order in books.orders}
    counts = {one: ends.get(one, 0) for one in known}
    wrong = [f"{one} has {count} terminal events" for one, count in counts.items() if count != 1]
    return wrong + [f"{one} is told, and in no books" for one in ends if one not in known]


def verdicts(found: dict[str, Any]) -> list[Verdict]:
    """The aims."""
    (beside,) = found["fanout_beside_ms"]
    alone = statistics.median(one["p99"] for one in found["fanout_without_ms"])
    wrong = found["misended"]
    others = len(found["faults"]) - wrong
    ended = f"{wrong} faults" if wrong else f"all {found['orders']:,}"
    balance = f"{others} faults" if others else "to the last digit"
    return [
        *orders.aims(found["acceptance_ms"]["p99"], beside["p99"] / alone),
        Verdict("every order has one terminal event", ended, not wrong),
        Verdict("nothing refused, and books balance", balance, not others),
    ]


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, stop the server, reckon the books."""
    port, rest = free_port(), free_port()
    reports = {f"s{number}": folder / f"s{number}.json" for number in range(options.strategies)}
    cpu, others = places(options.shared)
    more = (REALTIME if options.realtime else "") + configured(reports, others)
    with (
        orders.serve(folder, port, rest, options.quotes, more=more, cpu=cpu) as server,
        first_on(others),
    ):
        found = uvloop.run(measure(options, server, port, rest, reports))
    books = Books.read(folder / "state.db")
    wrong = misended(books, found.pop("ends"))
    faults = books.faults(found.pop("accepted")) + wrong
    faults += [f"refused: {why}" for why in found.pop("refused")]
    return found | {
        "orders": len(books.orders),
        "fills": len(books.trades),
        "misended": len(wrong),
        "faults": faults,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when books balance and all orders ended, 1 when not, 2 when it could not run."""
    options = parser().parse_args(arguments)
    if min(options.strategies, options.rate, options.sessions, options.seconds) <= 0:
        parser().error("allowed: numbers above 0")
    if options.quick:
        options.strategies, options.sessions, options.seconds = 5, 5, 1.0
    raise_file_limit()
    try:
        with tempfile.TemporaryDirectory(prefix="fastrouter-strategies-") as folder:
            found = run(options, Path(folder))
    except (ChildFailed, FastrouterError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return orders.tell(found, verdicts(found), as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
