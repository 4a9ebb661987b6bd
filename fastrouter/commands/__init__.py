"""The commands: each parses its arguments, calls the part that does the work, and prints.

A new command is a file here and a line below.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fastrouter import __version__
from fastrouter.commands import backtest, bench, config, publish, record, serve, tail
from fastrouter.commands.splitting import SplitCommand

__all__ = ["app"]

app = typer.Typer(
    name="fastrouter",
    help="One market-data feed to thousands of WebSocket sessions, encoded once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serve.serve)
app.command("tail")(tail.tail)
app.command("record")(record.record)
app.command("publish")(publish.publish)
app.command("backtest", cls=SplitCommand)(backtest.backtest)
app.command("bench", context_settings=bench.CONTEXT)(bench.bench)
app.add_typer(config.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fastrouter {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print it.")
    ] = False,
) -> None:
    """One market-data feed to thousands of WebSocket sessions, encoded once."""
