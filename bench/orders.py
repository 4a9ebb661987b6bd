"""Orders beside market data: how fast they are accepted, and what they cost those who listen.

`fastrouter serve` with its store in a file; clients that send orders over kept connections, and
sessions that time every quote. Rounds with orders and rounds without take turns. At the end the
server is stopped and the books are reckoned anew from the store: cash, positions, each order once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from . import trading
from .books import Books
from .child import Child, ChildFailed, raise_file_limit
from .measure import GENERATOR_CPU, SERVER_CPU, free_port
from .summary import Verdict
from .traders import Listener

SYMBOLS = [f"S:T{number:02d}" for number in range(20)]
AIM_ACCEPTANCE_MS, AIM_RATIO = 20.0, 1.2
WARM_UP = 1.0  # s of orders that are not counted
ACCOUNT = "[broker]\ncash = 100000000\nshorting = true\n"
MOST_FAULTS = 20  # that are shown
OFF = ("ai", "backtest", "market", "risk")
T = TypeVar("T")


def parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="fastrouter bench orders", description=__doc__)
    add = parser.add_argument
    add("--clients", type=int, default=50)
    add("--rate", type=float, default=200.0, help="orders a second of all clients; 200")
    add("--sessions", type=int, default=50, help="that hold all quotes; 50")
    add("--quotes", type=float, default=500.0, help="a second, of 20 symbols; 500")
    add("--seconds", type=float, default=10.0, help="length of a round; 10")
    add("--rounds", type=int, default=3, help="with orders and without, each")
    add("--quick", action="store_true", help="one short round: do the books balance?")
    add("--json", action="store_true", help="the whole result on standard output")
    return parser


@contextmanager
def serve(
    folder: Path,
    port: int,
    rest: int,
    quotes: float,
    *,
    more: str = "",
    cpu: int | None = SERVER_CPU,
) -> Iterator[Child]:
    """A server that accepts, `more` in its configuration; stopped by SIGTERM at the end."""
    config = folder / "config.toml"
    config.write_text(ACCOUNT + more)
    ports = ",".join([f"rest={rest}", *(f"{name}=off" for name in OFF)])
    command = (
        *(sys.executable, "-m", "fastrouter.cli", "serve", "--config", str(config)),
        *("--port", str(port), "--ports", ports),
        *("--store", str(folder / "state.db"), "--journal", str(folder / "journal.db")),
        *("--no-control", "--symbols", ",".join(SYMBOLS), "--rate", str(quotes)),
    )
    with Child(command, cpu=cpu, stderr=2) as server:
        while not server.hear(60).startswith("stop it"):
            pass
        try:
            yield server
        finally:
            server.signal(signal.SIGTERM)
            server.wait()


async def listen(port: int, count: int) -> list[Listener]:
    """Sessions that hold all quotes and time them; the caller closes them."""
    loop = asyncio.get_running_loop()
    found = [(await loop.create_connection(Listener, "127.0.0.1", port))[1] for _ in range(count)]
    for one in found:
        await one.live.wait()
    return found


async def measure(
    options: argparse.Namespace, server: Child, port: int, rest: int
) -> dict[str, Any]:
    """All rounds. Latencies in ms."""
    listeners = await listen(port, options.sessions)
    await trade(options, rest, min(WARM_UP, options.seconds), 0)
    without, beside, traded = [], [], []
    for number in range(1, options.rounds + 1):
        print(f"round {number} of {options.rounds}", file=sys.stderr)
        without.append((await fanout(server, listeners, asyncio.sleep(options.seconds)))[0])
        orders = trade(options, rest, options.seconds, number)
        figures_beside, found = await fanout(server, listeners, orders)
        beside.append(figures_beside)
        traded.append(found)
    for listener in listeners:
        listener.close()
    return {
        "acceptance_ms": figures([one for found in traded for one in found["latencies"]]),
        "fanout_without_ms": without,
        "fanout_beside_ms": beside,
        "accepted": {name: one for found in traded for name, one in found["accepted"].items()},
        "refused": [why for found in traded for why in found["refused"]],
    }


async def trade(
    options: argparse.Namespace, rest: int, seconds: float, seed: int
) -> dict[str, Any]:
    """Orders to the port `rest`, from a process of its own; what became of them."""
    command = trading.command(rest, options.clients, options.rate, seconds, SYMBOLS, seed)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    if process.returncode:
        raise ChildFailed(f"those who trade ended with status {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    return found


async def fanout(
    server: Child, listeners: Sequence[Listener], meanwhile: Awaitable[T]
) -> tuple[dict[str, float], T]:
    """How fast quotes come meanwhile, and its result. `cpu` is the server's, in s a second."""
    for listener in listeners:
        listener.latencies.clear()
    used, begun = server.cpu_seconds(), time.monotonic()
    result = await meanwhile
    cpu = (server.cpu_seconds() - used) / (time.monotonic() - begun)
    found = figures([one for listener in listeners for one in listener.latencies])
    return found | {"cpu": cpu}, result


def figures(latencies: Sequence[float]) -> dict[str, float]:
    """Count and percentiles."""
    if len(latencies) < 2:
        raise ChildFailed(f"{len(latencies)} latencies: nothing arrived")
    cuts = statistics.quantiles(latencies, n=1000)
    return {
        "count": len(latencies),
        "p50": cuts[499],
        "p99": cuts[989],
        "p999": cuts[998],
        "max": max(latencies),
    }


def verdicts(found: dict[str, Any]) -> list[Verdict]:
    """The aims."""
    pairs = zip(found["fanout_beside_ms"], found["fanout_without_ms"], strict=True)
    ratio = statistics.median(beside["p99"] / without["p99"] for beside, without in pairs)
    return aims(found["acceptance_ms"]["p99"], ratio)


def aims(accepted: float, ratio: float) -> list[Verdict]:
    """Of the p99 of acceptance (ms), and that of quotes beside orders to that without."""
    return [
        Verdict(
            f"p99 of acceptance < {AIM_ACCEPTANCE_MS:g} ms",
            f"{accepted:.1f} ms",
            accepted < AIM_ACCEPTANCE_MS,
        ),
        Verdict(
            f"p99 of quotes beside orders <= {AIM_RATIO:g} times that without",
            f"{ratio:.2f}",
            ratio <= AIM_RATIO,
        ),
    ]


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, stop the server, reckon the books."""
    port, rest = free_port(), free_port()
    with serve(folder, port, rest, options.quotes) as server:
        if len(os.sched_getaffinity(0)) >= 2:
            os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[GENERATOR_CPU]})
        found = uvloop.run(measure(options, server, port, rest))
    books = Books.read(folder / "state.db")
    faults = books.faults(found.pop("accepted"))
    faults += [f"refused: {why}" for why in found.pop("refused")]
    return found | {"orders": len(books.orders), "fills": len(books.trades), "faults": faults}


def show(found: dict[str, Any], judged: Sequence[Verdict]) -> None:
    """The table."""
    rows = [("acceptance", found["acceptance_ms"])]
    for name, key in (("quotes alone", "fanout_without_ms"), ("beside orders", "fanout_beside_ms")):
        rows += [(f"{name}, round {n}", one) for n, one in enumerate(found[key], 1)]
    print(f"{'ms':<24}{'count':>10}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>9}{'CPU':>7}")
    for name, one in rows:
        values = "".join(f"{one[key]:>9.2f}" for key in ("p50", "p99", "p999", "max"))
        cpu = f"{one['cpu']:>7.0%}" if "cpu" in one else ""
        print(f"{name:<24}{one['count']:>10,}{values}{cpu}")
    balance = "there are faults" if found["faults"] else "books balance to the last digit"
    print(f"{found['orders']:,} orders, {found['fills']:,} fills: {balance}")
    for verdict in judged:
        print(f"{'ok' if verdict.holds else 'MISSED':<7} {verdict.aim}: {verdict.measured}")
    for fault in found["faults"][:MOST_FAULTS]:
        print(f"FAULT  {fault}")


def tell(found: dict[str, Any], judged: Sequence[Verdict], *, as_json: bool) -> int:
    """Print it; the exit status: 1 when there are faults."""
    if as_json:
        print(json.dumps(found | {"aims": [verdict.__dict__ for verdict in judged]}))
    else:
        show(found, judged)
    return 1 if found["faults"] else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when the books balance, 1 when not, 2 when it could not run."""
    options = parser().parse_args(arguments)
    if options.quick:
        options.seconds, options.rounds, options.clients, options.sessions = 0.5, 1, 10, 5
    raise_file_limit()
    try:
        with tempfile.TemporaryDirectory(prefix="fastrouter-orders-") as folder:
            found = run(options, Path(folder))
    except (ChildFailed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return tell(found, verdicts(found), as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
