"""``fastrouter record``: what a session brings, as files that can be replayed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from fastrouter.client import Connection, Options, trusting
from fastrouter.client.inbox import AnyEvent
from fastrouter.client.options import resolve
from fastrouter.commands.failure import expected
from fastrouter.commands.options import Address, Authority, Bearer, Insecure, Reconnect, Wanted
from fastrouter.commands.refusal import check_refusal
from fastrouter.errors import FastrouterError
from fastrouter.recording import Recording, salvage

__all__ = ["record"]

FORMATS = ("parquet", "csv")


@expected
def record(
    url: Address = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER|FILE.parquet|FILE.csv", show_default=False,
            help="A new folder, for quotes.parquet and candles.parquet, or a file for one of them.",
        ),
    ] = Path("recording"),
    subscriptions: Wanted = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, metavar="N", help="Stop after N seconds.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N quotes and candles.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="Of a folder's files: parquet, csv.")]
        = "parquet",
    flush: Annotated[
        float,
        typer.Option(
            min=0.01, metavar="N",
            help="Seconds between two writes. A kill loses what came since, and the newest second "
            "before: its rows may not be in order yet.",
        ),
    ] = 5.0,
    recover: Annotated[
        bool, typer.Option("--recover", help="Make files of what a killed recording left.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was recorded as JSON.")]
        = False,
    dialect: Annotated[str, typer.Option(help="The envelope the server speaks.")] = "trading-api",
    token: Bearer = None,
    cafile: Authority = None,
    insecure: Insecure = False,
    reconnect: Reconnect = True,
) -> None:  # fmt: skip
    """Record quotes and closed candles, until Ctrl-C or the server's end.

    What it makes are data sets for backtests and replays. Snapshots and forming candles are not
    recorded. A backtest is acknowledged as it comes.
    """
    if recover:
        for path in salvage(out):
            typer.echo(path)
        return
    if form not in FORMATS:
        raise FastrouterError(
            f"--format is {form!r}; allowed: {', '.join(FORMATS)}", code="INVALID_OPTION"
        )
    from fastrouter.app import run

    target, wanted = resolve(url, subscriptions)
    options = Options(
        url=target,
        subscriptions=wanted,
        dialect=dialect,
        token=token,
        ssl_context=trusting(cafile, insecure=insecure),
        reconnect=reconnect,
    )
    recorder = Recorder(Connection(options), Recording(out, f".{form}"), rows)
    run(_record(recorder, seconds, flush, as_json))


class Recorder:
    """Takes what a connection brings, up to so many rows."""

    def __init__(
        self, connection: Connection, recording: Recording, most: int | None = None
    ) -> None:
        self.connection = connection
        self.recording = recording
        self._left = most
        self._flowing = False
        self.paths: list[Path] = []

    async def take(self) -> None:
        """Return when there is nothing more to take. Raises FastrouterError."""
        async with self.connection as connection:
            while events := await connection.take():
                for event in events:
                    if self._take(event):
                        return

    def _take(self, event: AnyEvent) -> bool:
        """Is it the last?"""
        if not self._flowing:
            self._flowing = bool(event.id)
            check_refusal(event)
        if self.recording.take(event) and self._left is not None:
            self._left -= 1
        return self._left == 0

    async def keep(self, every: float) -> None:
        """Write what has come, from time to time. Raises FastrouterError."""
        while True:
            await asyncio.sleep(every)
            self.recording.flush()

    def finish(self) -> None:
        """Make files of what was recorded. Raises FastrouterError."""
        try:
            self.paths = self.recording.finish()
        finally:
            self.recording.close()

    def told(self) -> dict[str, Any]:
        """What there is to say at the end."""
        stats = self.connection.stats
        return {
            **self.recording.totals.told(),
            "files": [str(path) for path in self.paths],
            "gaps": stats.gaps,
            "missed": stats.missed,
            "resume_gaps": stats.resume_gaps,
            "reconnects": stats.reconnects,
        }


async def _record(recorder: Recorder, seconds: float | None, flush: float, as_json: bool) -> None:
    from fastrouter.app.stop import Stop

    stop = Stop()
    tasks = [asyncio.create_task(recorder.take()), asyncio.create_task(recorder.keep(flush))]
    tasks.append(asyncio.create_task(_wait(stop.asked)))
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        recorder.finish()
    told = recorder.told()
    failed = [error for task in done if (error := task.exception())]
    if not failed or told["files"]:
        print(orjson.dumps(told).decode() if as_json else "\n".join(_lines(told)))
    for error in failed:
        raise error


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _lines(told: dict[str, Any]) -> list[str]:
    """What was recorded, what was not, and what was never received."""
    left_out = {
        "snapshots": told["snapshots"],
        "forming candles": told["forming"],
        "too late for their file": told["late"],
        "of other kinds or symbols": told["other"],
    }
    lost = {
        f"gaps ({told['missed']:,} events that were conflated)": told["gaps"],
        "reconnects": told["reconnects"],
        "gaps between sessions": told["resume_gaps"],
    }
    return [
        f"{told['quotes']:,} quotes and {told['candles']:,} closed candles"
        f" of {told['symbols']:,} symbols: {', '.join(told['files']) or 'no file'}",
        "not recorded: " + (_counted(left_out) or "nothing"),
        "not received: " + (_counted(lost) or "nothing that is known of"),
    ]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
