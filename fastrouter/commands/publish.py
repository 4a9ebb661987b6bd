"""``fastrouter publish``: events from an argument, a file or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from fastrouter.client.publishing import DEFAULT_REST_URL, REST_URL_VARIABLE, publish_events
from fastrouter.commands.failure import expected
from fastrouter.commands.options import Bearer
from fastrouter.core.kinds import KINDS
from fastrouter.errors import EventError, FastrouterError

__all__ = ["publish"]

MOST_LINES = 500  # of one request
MOST_BYTES = 1 << 19  # of one request
CHUNK = 1 << 16  # bytes read at a time

Line = tuple[int, bytes]


@expected
def publish(
    kind: Annotated[str, typer.Argument(metavar="|".join(KINDS), show_default=False)],
    payload: Annotated[
        str,
        typer.Argument(
            metavar="JSON|@FILE|-", show_default=False,
            help="The payload; or a file, or standard input, of payloads, one a line.",
        ),
    ],
    url: Annotated[
        str, typer.Option(envvar=REST_URL_VARIABLE, help="The router's REST address.")
    ] = DEFAULT_REST_URL,
    token: Bearer = None,
    symbol: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Default: the payload's."),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Default: the payload's account_id."),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(metavar="ISO-8601", show_default=False, help="Default: now."),
    ] = None,
) -> None:  # fmt: skip
    """Publish events to a running router; prints their ids.

    Of a file or standard input, lines that came together are published together: all of them
    or, when one cannot be published, none of them and nothing after.
    """
    if kind not in KINDS:
        raise EventError(f"{kind!r} is no kind of event; allowed: {', '.join(KINDS)}")
    beside = {"symbol": symbol, "account": account, "time": time}
    common = {"kind": kind, **{name: value for name, value in beside.items() if value is not None}}
    try:
        for lines in _portions(payload):
            events = [{**common, "payload": _payload(line, payload)} for line in lines]
            _print(_published(events, lines, payload, url=url, token=token))
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _published(
    events: list[dict[str, Any]], lines: list[Line], source: str, **options: Any
) -> list[str]:
    """Publish what stood in these lines, or was the argument. Raises what that does."""
    if not _is_lines(source):
        return publish_events(events[0], **options)
    try:
        return publish_events(events, **options)
    except EventError as error:
        raise EventError(_with_line(str(error), lines), code=error.code) from None


def _with_line(message: str, lines: list[Line]) -> str:
    """``event 3: …`` is about a line, which people can find."""
    word, _, rest = message.partition(" ")
    number, _, reason = rest.partition(": ")
    if word == "event" and number.isdecimal() and int(number) < len(lines):
        return f"line {lines[int(number)][0]}: {reason}"
    return message


def _print(ids: list[str]) -> None:
    for one in ids:
        print(one)
    sys.stdout.flush()


# ---- where payloads come from


def _is_lines(source: str) -> bool:
    return source == "-" or source.startswith("@")


def _payload(line: Line, source: str) -> Any:
    number, text = line
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"line {number}: " if _is_lines(source) else ""
        raise EventError(f"{where}the payload is not JSON: {error}") from None


def _portions(source: str) -> Iterator[list[Line]]:
    """Numbered lines, blank ones aside, as many together as there are and fit a request."""
    if not _is_lines(source):
        yield [(1, os.fsencode(source))]
        return
    lines: list[Line] = []
    size = 0
    for number, line in _lines(source):
        if line is None or len(lines) == MOST_LINES or size + len(line) > MOST_BYTES:
            if lines:
                yield lines
            lines, size = [], 0
        if line is not None and line.strip():
            lines.append((number, line))
            size += len(line)


def _lines(source: str) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None where there are no more for now, and at the end."""
    number, rest = 0, b""
    for chunk in _chunks(source):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, line
        yield number, None
    yield number + 1, rest
    yield number + 1, None


def _chunks(source: str) -> Iterator[bytes]:
    try:
        descriptor = sys.stdin.fileno() if source == "-" else os.open(source[1:], os.O_RDONLY)
        try:
            while chunk := os.read(descriptor, CHUNK):
                yield chunk
        finally:
            if source != "-":
                os.close(descriptor)
    except OSError as error:
        name = "standard input" if source == "-" else str(Path(source[1:]))
        raise FastrouterError(
            f"{name} cannot be read: {error.strerror or error}", code="INPUT_FAILED"
        ) from None
