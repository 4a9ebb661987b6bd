"""``fastrouter tail``: watch a stream."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated

import typer

from fastrouter.client import Connection, Options
from fastrouter.client.options import resolve
from fastrouter.commands.failure import expected
from fastrouter.commands.line import Raw, pretty

__all__ = ["tail"]


@expected
def tail(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]", help="Default: PROXY_WS_URL, else ws://localhost:8082.",
            show_default=False,
        ),
    ] = None,
    subscriptions: Annotated[
        str | None,
        typer.Option(
            "--subscriptions", "-s", metavar="ITEMS", show_default=False,
            help="As S:AAPL:quote,C:*:candle. Default: SUBSCRIPTIONS, else the server's.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print messages as they came, one a line.")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N events.")
    ] = None,
    dialect: Annotated[str, typer.Option(help="The envelope the server speaks.")] = "trading-api",
    token: Annotated[
        str | None, typer.Option(help="A bearer token.", show_default=False)
    ] = None,
    reconnect: Annotated[bool, typer.Option(help="Come back when the session is lost.")] = True,
) -> None:  # fmt: skip
    """Print what a server sends, until Ctrl-C."""
    from fastrouter.app import run

    target, wanted = resolve(url, subscriptions)
    options = Options(
        url=target,
        subscriptions=wanted,
        dialect=dialect,
        token=token,
        reconnect=reconnect,
        decoder=Raw(dialect) if as_json else None,
    )
    try:
        run(_print(Connection(options), as_json, count))
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        _forget_stdout()


async def _print(connection: Connection, as_json: bool, count: int | None) -> None:
    colour = not as_json and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    line = Raw.line if as_json else pretty
    async with connection:
        async for event in connection:
            print(line(event, colour), flush=True)
            count = count if count is None else count - 1
            if count == 0:
                return


def _forget_stdout() -> None:
    """Who read us is gone: let the interpreter flush what is left into nothing."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
