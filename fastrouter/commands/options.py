"""Options that several commands have: how a session is opened, and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastrouter.client.options import TOKEN_VARIABLE

__all__ = ["Authority", "Bearer", "Insecure", "Reconnect"]

Bearer = Annotated[
    str | None, typer.Option(envvar=TOKEN_VARIABLE, help="A bearer token.", show_default=False)
]
Authority = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="wss: a PEM file of whom to trust."),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="wss: trust whoever answers.")]
Reconnect = Annotated[bool, typer.Option(help="Come back when the session is lost.")]
