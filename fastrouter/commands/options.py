"""Options that several commands have: how a session is opened, and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastrouter.client.options import (
    DEFAULT_URL,
    SUBSCRIPTIONS_VARIABLE,
    TOKEN_VARIABLE,
    URL_VARIABLE,
)

__all__ = ["Address", "Authority", "Bearer", "Insecure", "Reconnect", "Wanted"]

Address = Annotated[
    str | None,
    typer.Argument(
        metavar="[URL]", show_default=False, help=f"Default: {URL_VARIABLE}, else {DEFAULT_URL}."
    ),
]
Wanted = Annotated[
    str | None,
    typer.Option(
        "--subscriptions",
        "-s",
        metavar="ITEMS",
        show_default=False,
        help=f"As S:AAPL:quote,C:*:candle. Default: {SUBSCRIPTIONS_VARIABLE}, else the server's.",
    ),
]
Bearer = Annotated[
    str | None, typer.Option(envvar=TOKEN_VARIABLE, help="A bearer token.", show_default=False)
]
Authority = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="wss: a PEM file of whom to trust."),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="wss: trust whoever answers.")]
Reconnect = Annotated[bool, typer.Option(help="Come back when the session is lost.")]
