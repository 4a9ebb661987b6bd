"""``fastrouter config``: look at the configuration without running it."""

from __future__ import annotations

import json

import typer

from fastrouter import app as server
from fastrouter import config
from fastrouter.commands.failure import expected
from fastrouter.commands.serve import File
from fastrouter.config.toml import render

__all__ = ["app"]

app = typer.Typer(
    help="Check or show the configuration.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
@expected
def check(config_file: File = None) -> None:
    """Validate file and environment: status 0, or 2 with every setting that cannot be used."""
    server.check(config.load(config_file).settings)
    typer.echo("the configuration is valid")


@app.command()
@expected
def show(config_file: File = None) -> None:
    """Print the effective configuration as TOML, with where each value came from."""
    typer.echo(render(config.load(config_file)), nl=False)


@app.command()
def schema() -> None:
    """Print the configuration's JSON schema."""
    typer.echo(json.dumps(config.Settings.model_json_schema(), indent=2))
