"""``fastrouter tail``: watch a stream."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated

import typer

from fastrouter.client import Connection, Options, trusting
from fastrouter.client.inbox import AnyEvent
from fastrouter.client.options import resolve, since_of
from fastrouter.commands.failure import expected
from fastrouter.commands.line import RAW_KIND, Raw, pretty
from fastrouter.commands.options import Address, Authority, Bearer, Insecure, Reconnect, Wanted
from fastrouter.commands.refusal import check_refusal
from fastrouter.core.event import Event
from fastrouter.core.kinds import KINDS
from fastrouter.errors import FastrouterError

__all__ = ["tail"]


@expected
def tail(
    url: Address = None,
    subscriptions: Wanted = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print messages as they came, one a line.")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N events of the stream.")
    ] = None,
    dialect: Annotated[str, typer.Option(help="The envelope the server speaks.")] = "trading-api",
    since: Annotated[
        str | None,
        typer.Option(
            metavar="ID", show_default=False,
            help="Begin with what came after this event and is never dropped, as evt_12.",
        ),
    ] = None,
    conflate: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", show_default=False,
            help="At most one quote a symbol and interval, as 250ms.",
        ),
    ] = None,
    token: Bearer = None,
    cafile: Authority = None,
    insecure: Insecure = False,
    reconnect: Reconnect = True,
) -> None:  # fmt: skip
    """Print what a server sends, until Ctrl-C."""
    from fastrouter.app import run

    target, wanted = resolve(url, subscriptions)
    options = Options(
        url=target,
        subscriptions=wanted,
        dialect=dialect,
        since=since_of(target, since),
        conflate=conflate,
        token=token,
        ssl_context=trusting(cafile, insecure=insecure),
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
    flowing = False
    async with connection:
        async for event in connection:
            flowing = flowing or bool(event.id)
            if not flowing:
                check_refusal(event)
            _say(line(event, colour))
            if count is not None and _is_counted(event):
                count -= 1
                if not count:
                    return


def _is_counted(event: AnyEvent) -> bool:
    """Whether it is of the stream: not what a server says of itself or of the session."""
    return not isinstance(event, Event) or event.kind == RAW_KIND or event.kind in KINDS


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget_stdout()
        raise FastrouterError(
            f"standard output cannot be written: {error.strerror}", code="OUTPUT_FAILED"
        ) from None


def _forget_stdout() -> None:
    """What is left goes nowhere: let the interpreter flush it there."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
