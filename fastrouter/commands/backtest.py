"""``fastrouter backtest``: a program against history."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from fastrouter import app
from fastrouter.commands.failure import expected, fail, tell
from fastrouter.commands.progress import PROGRESS, Progress, progress_of
from fastrouter.commands.splitting import behind
from fastrouter.errors import ConfigError, FeedError

__all__ = ["backtest"]

#: what a backtest's query string has by the same name
OF_THE_RUN = ("start", "end", "symbols", "window", "cash", "commission", "shorting")


def option(help_text: str, metavar: str | None = None) -> Any:
    """An option that is None unless given."""
    return typer.Option(help=help_text, metavar=metavar, show_default=False)


@expected
def backtest(
    context: typer.Context,
    data: Annotated[
        list[str],
        typer.Argument(metavar="DATA...", help="Files, a folder of them, or a name in --data."),
    ],
    folder: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A folder of data sets.")
    ] = None,
    start: Annotated[
        str | None, option("From then on: ISO-8601 date or time, or Unix ms.", "T")
    ] = None,
    end: Annotated[str | None, option("To before this instant.", "T")] = None,
    symbols: Annotated[str | None, option("Only these, comma separated.", "NAMES")] = None,
    subscriptions: Annotated[
        str | None,
        option("Default: what the data has, and order, trade, position, account.", "ITEMS"),
    ] = None,
    window: Annotated[
        str | None,
        option(
            "Batches under way at once, default 1. Above that an order belongs to the newest of "
            "them when it comes in, so that two runs with orders may differ.",
            "N",
        ),
    ] = None,
    candles: Annotated[
        str | None, option("Built from quotes; default 1m if there are no bars.", "TIMEFRAMES")
    ] = None,
    cash: Annotated[str | None, option("Of the paper account, default 100000.", "N")] = None,
    commission: Annotated[
        str | None, option("RATE:NUMBER of per_order, per_unit, percent.", "MAP")
    ] = None,
    shorting: Annotated[str | None, option("true: more may be sold than is held.", "BOOL")] = None,
    symbol: Annotated[str | None, option("The symbol of every row.", "NAME")] = None,
    kind: Annotated[str | None, option("quotes or bars, if the columns do not say.", "K")] = None,
    timeframe: Annotated[str | None, option("The timeframe of every bar.", "NAME")] = None,
    time_format: Annotated[str | None, option("Of the times, as compact.", "NAME")] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="To listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="0 is any free one.")] = 0,
    plot: Annotated[
        Path | None, option("Draw the equity curve: .html, or .png, .svg.", "FILE")
    ] = None,
    report: Annotated[Path | None, option("Write the result there, as JSON.", "FILE")] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the result as JSON; COMMAND's output to stderr."),
    ] = False,
    progress: Annotated[str | None, option("Default: a bar at a terminal.", "|".join(PROGRESS))] = (
        None
    ),
    patience: Annotated[float, typer.Option(help="Seconds for COMMAND to connect.")] = 60.0,
    grace: Annotated[float, typer.Option(help="Seconds for COMMAND to end at the end.")] = 5.0,
    timeout: Annotated[float | None, option("Seconds for all of it.", "S")] = None,
) -> None:
    """Run COMMAND against history, whose time waits for it; without one, whoever connects.

    COMMAND finds in its environment what a live one does: PROXY_WS_URL, PROXY_REST_URL,
    SUBSCRIPTIONS, STRATEGY_ID, STRATEGY_SYMBOLS, STRATEGY_CONFIG.

    Status: 0 the run is complete; 1 the data cannot be read on or has no row that is wanted, or a
    file cannot be written; 2 an option, the data or COMMAND is none; 3 COMMAND ended before the
    run, or did not come; 124 --timeout; 130 Ctrl-C or SIGTERM.
    """
    given = locals()
    if progress is not None and progress not in PROGRESS:
        raise ConfigError(f"--progress {progress}: allowed: {', '.join(PROGRESS)}")
    if plot is not None:
        app.check_plot(plot)
    if report is not None:
        _check_report(report)
    asked = app.Asked(
        dataset=_opened(
            data, folder, symbol=symbol, kind=kind, timeframe=timeframe, time_format=time_format
        ),
        command=behind(context),
        wanted=app.wanted_of({name: given[name] for name in OF_THE_RUN}),
        subscriptions=subscriptions,
        candles=None if candles is None else tuple(filter(None, candles.split(","))),
        host=host,
        port=port,
        patience=patience,
        grace=grace,
        timeout=timeout,
    )
    outcome = app.backtest(asked, _Screen(progress_of(progress), as_json))
    _finish(outcome, plot, report, as_json)


def _check_report(path: Path) -> None:
    """Raises ConfigError for a file that could not be written when the run is over."""
    if path.is_dir():
        raise ConfigError(f"--report {path}: is a folder; allowed: a file")
    if not path.parent.is_dir():
        raise ConfigError(f"--report {path}: there is no folder {path.parent}")


def _opened(data: list[str], folder: Path | None, **reading: Any) -> Any:
    """The data set. Data that is not there is a fault of the command line."""
    try:
        return app.dataset_of(data, folder, **reading)
    except FeedError as error:
        fail(str(error), error.code, 2)


class _Screen:
    """A `fastrouter.app.View`."""

    def __init__(self, progress: Progress, as_json: bool) -> None:
        self._progress = progress
        self._out = sys.stderr if as_json else sys.stdout
        self.begin, self.move, self.end = progress.begin, progress.move, progress.end

    def waits(self, environment: Mapping[str, str]) -> None:
        """Say what to export."""
        for name, value in environment.items():
            typer.echo(f"export {name}={shlex.quote(value)}", err=True)
        typer.echo("waiting for a client; Ctrl-C ends it", err=True)

    def note(self, message: str) -> None:
        """A line."""
        self._progress.write(f"{message}\n")

    def write(self, data: bytes) -> None:
        """As it came."""
        if self._progress.is_at(self._out):
            self._progress.write(data.decode(errors="replace"))
            return
        try:
            self._out.buffer.write(data)
            self._out.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())


def _finish(outcome: app.Outcome, plot: Path | None, report: Path | None, as_json: bool) -> None:
    """Draw it, write it, print it, and exit with its status.

    A file that cannot be written is told of when all else is done.
    """
    unwritten: list[str] = []
    if plot is not None:
        with _writing(plot, unwritten):
            _draw(plot, outcome)
    told = outcome.told()
    if report is not None:
        with _writing(report, unwritten):
            report.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    if as_json:
        typer.echo(orjson.dumps(told).decode())
    elif outcome.instants or outcome.error is None:  # of what never began there is nothing to say
        for name, value in _figures(outcome).items():
            typer.echo(f"{name:<14} {value}")
    for message in unwritten:
        tell(message, "OUTPUT_FAILED")
    if outcome.error is not None:
        fail(outcome.error["message"], outcome.error["code"], int(outcome.status))
    if unwritten:
        raise typer.Exit(1)


def _draw(path: Path, outcome: app.Outcome) -> None:
    """The equity curve of a run that came so far. Raises OSError."""
    if outcome.report is not None and outcome.instants:
        title = f"Backtest of {outcome.dataset}"
        app.save_plot(path, title, _figures(outcome), outcome.equity)
        outcome.plot = str(path)


@contextmanager
def _writing(path: Path, unwritten: list[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        unwritten.append(f"{path} cannot be written: {error.strerror or error}")


def _figures(outcome: app.Outcome) -> dict[str, str]:
    """For people."""
    seconds, report = outcome.wall_seconds, outcome.report or {}
    rate = outcome.events / seconds if seconds else 0.0
    lines = {
        "data": outcome.dataset,
        "simulated": f"{outcome.first} to {outcome.last}",
        "events": f"{outcome.events:,} in {seconds:g} s, {rate:,.0f} a second",
        "left out": f"{outcome.bad_rows:,} rows" if outcome.bad_rows else None,
        "orders": f"{outcome.orders:,}",
        "trades": f"{report['total_trades']:,}, {report['win_rate']:.1%} of them won",
        "equity": f"{report['final_equity']:,.2f}, {report['total_return']:+.2%}",
        "largest fall": f"{report['max_drawdown']:.2%}",
        "plot": outcome.plot,
    }
    return {name: text for name, text in lines.items() if text is not None}
