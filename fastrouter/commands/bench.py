"""``fastrouter bench``: measure this machine."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fastrouter.commands.failure import fail

__all__ = ["BENCHES", "CONTEXT", "bench"]

#: Everything after the bench's name is the bench's own.
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _program(name: str, arguments: list[str]) -> int:
    """A bench with a command line of its own."""
    module = _module(f"fastrouter.bench.{name}")
    status: int = import_module(module).main(arguments)
    return status


def _suite(name: str, arguments: list[str]) -> int:
    """A pytest-benchmark suite; ``--json`` prints nothing but its figures."""
    spec = find_spec(_module(f"fastrouter.bench.bench_{name}"))
    assert spec is not None
    assert spec.origin is not None
    try:
        import pytest
        import pytest_benchmark  # noqa: F401
    except ImportError as error:
        fail(
            f"{error.name} is not installed; run: pip install 'fastrouter[bench]'",
            "BENCH_MISSING",
            2,
        )

    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        ours = Path(folder, "pytest.ini")  # not that of the folder we stand in
        ours.write_text("[pytest]\n")
        as_json = "--json" in arguments
        options = [argument for argument in arguments if argument != "--json"]
        if as_json:
            options.append(f"--benchmark-json={report}")
        # with --json the tables go to standard error
        with redirect_stdout(sys.stderr if as_json else sys.stdout):
            status = pytest.main(
                [
                    spec.origin,
                    f"-c{ours}",
                    "--benchmark-only",
                    "-pno:cacheprovider",
                    "-pno:asyncio",
                    *options,
                ]
            )
        if as_json and report.exists():
            typer.echo(report.read_text())
    return int(status)


def _module(name: str) -> str:
    try:
        found = find_spec(name) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        fail(f"{name} is not installed", "BENCH_MISSING", 2)
    return name


BENCHES: dict[str, Callable[[str, list[str]], int]] = {
    "fanout": _program,
    "idle": _program,
    "echo": _program,
    "fuzz": _program,
    "soak": _program,
    "crash": _program,
    "backtest": _program,
    "orders": _program,
    "strategies": _program,
    "encode": _suite,
    "match": _suite,
    "publish": _suite,
    "leaves": _suite,
    "market": _suite,
    "broker": _suite,
}


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="|".join(BENCHES))] = "fanout",
) -> None:
    """Measure one part; options after its name are its own (try --help there).

    fanout: end to end, beside raw C floors; idle: memory of idle sessions;
    backtest: lock-step, beside a ping-pong in plain C;
    orders: how fast they are accepted, and what they cost market data;
    strategies: the same with 50 strategies as processes that order;
    echo: serve an echo through our listener, for protocol test suites;
    fuzz, soak, crash: bad bytes, sessions that do not read, and kills, none of which may hurt;
    encode, match, publish, market, broker, leaves: single parts, by pytest-benchmark.
    """
    if name == "--help":
        typer.echo(context.get_help())
        return
    arguments = list(context.args)
    if name.startswith("-"):
        name, arguments = "fanout", [name, *arguments]
    run = BENCHES.get(name)
    if run is None:
        fail(f"{name!r} is no bench; allowed: {', '.join(BENCHES)}", "INVALID_ARGUMENT", 2)
    sys.exit(run(name, arguments))
