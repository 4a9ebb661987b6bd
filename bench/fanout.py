"""Fan-out end to end: quotes to thousands of WebSocket sessions, beside two raw C floors.

Case A broadcasts one symbol as fast as it can with at most 64 publishes in flight; case B sends
paced quotes of 200 symbols to sessions that each hold 10. Subjects take turns, round by round; the
server has one CPU, the load generator another. Each round checks that every session got every
quote once and in order; if not, the exit status is 1. Latency is from publish to receive; "due"
counts from the moment the schedule wanted the quote, so that a publisher that falls behind shows.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import plot, report
from .child import ChildFailed, raise_file_limit
from .measure import COALESCED, FASTROUTER, ONE_SEND, SUBJECTS, Case, Run, compile_all, measure
from .summary import summarize, verdicts
from .toolchain import CompilerMissing

A_SESSIONS = (100, 1000, 5000)
B_SESSIONS, B_RATES = 1000, (500, 2000, 5000)
QUICK_SESSIONS, QUICK_RATE, QUICK_SECONDS = 50, 500, 0.3


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(item) for item in text.split(","))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fastrouter bench fanout", description=__doc__)
    add = parser.add_argument
    add("--case", choices=("A", "B", "all"), default="all")
    add("--sessions", type=_numbers, help="comma separated; A 100,1000,5000, B 1000")
    add("--rate", type=_numbers, default=B_RATES, help="quotes a second of B; 500,2000,5000")
    add("--seconds", type=float, default=3.0, help="measured length of one run")
    add("--rounds", type=int, default=3)
    add("--subjects", help=f"comma separated, of: {', '.join(SUBJECTS)}")
    add("--peer", action="append", choices=("picows",), default=[], help="one more subject")
    add(
        "--dialect",
        action="append",
        choices=("botcore",),
        default=[],
        help="fastrouter in that dialect, too",
    )
    add("--stall", type=int, default=0, help="sessions that stop reading after their welcome")
    add("--quick", action="store_true", help="one short round, few sessions: is all delivered?")
    add("--json", action="store_true", help="the whole result on standard output")
    add("--plot", type=Path, help="latency percentiles as PNG or SVG, by suffix")
    return parser


def cases(options: argparse.Namespace) -> list[Case]:
    """The cases that the options ask for."""
    broadcast: tuple[int, ...]
    paced: tuple[int, ...]
    if options.quick:
        broadcast, paced, rates = (QUICK_SESSIONS,), (QUICK_SESSIONS,), (QUICK_RATE,)
    else:
        broadcast = options.sessions or A_SESSIONS
        paced, rates = options.sessions or (B_SESSIONS,), options.rate
    chosen: list[Case] = []
    if options.case in ("A", "all"):
        chosen += [Case(sessions, 0, options.stall) for sessions in broadcast]
    if options.case in ("B", "all"):
        chosen += [Case(sessions, rate, options.stall) for sessions in paced for rate in rates]
    return chosen


def _subjects(options: argparse.Namespace) -> list[str]:
    names = options.subjects.split(",") if options.subjects else [ONE_SEND, COALESCED, FASTROUTER]
    unknown = [name for name in names if name not in SUBJECTS]
    if unknown:
        raise SystemExit(f"no such subject: {', '.join(unknown)}; known: {', '.join(SUBJECTS)}")
    return [*names, *(f"{FASTROUTER} {name}" for name in options.dialect), *options.peer]


def run_all(options: argparse.Namespace, programs: Path) -> Iterator[Run]:
    """Every case, round by round, the subjects taking turns."""
    rounds, seconds = (1, QUICK_SECONDS) if options.quick else (options.rounds, options.seconds)
    for case in cases(options):
        for number in range(1, rounds + 1):
            for name in _subjects(options):
                print(f"{case.label}, round {number} of {rounds}: {name}", file=sys.stderr)
                yield measure(SUBJECTS[name], case, programs, seconds)


def _finish(options: argparse.Namespace, runs: Sequence[Run]) -> int:
    rows = summarize(runs)
    found = verdicts(rows)
    if options.json:
        print(report.as_json(rows, found))
    else:
        report.print_tables(rows, found)
    if options.plot is not None:
        plot.save(rows, options.plot)
    broken = [run for run in runs if run.faults]
    for run in broken:
        print(f"fault: {run.case.label}, {run.subject}: {run.faults}", file=sys.stderr)
    return 1 if broken else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when all was delivered, 1 when not, 2 when it could not run."""
    options = parser().parse_args(arguments)
    raise_file_limit()
    try:
        with tempfile.TemporaryDirectory(prefix="fastrouter-bench-") as directory:
            runs = list(run_all(options, compile_all(Path(directory))))
    except (CompilerMissing, ChildFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _finish(options, runs)


if __name__ == "__main__":
    raise SystemExit(main())
