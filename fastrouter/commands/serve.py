"""``fastrouter serve``: run the router."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from fastrouter import app, config
from fastrouter.commands.failure import expected, fail
from fastrouter.errors import ConfigError

__all__ = ["KEYS", "serve"]

#: Option -> the setting it overrides.
KEYS = {
    "host": "server.host",
    "port": "server.port",
    "dialect": "server.dialect",
    "subscriptions": "server.subscriptions",
    "journal": "journal.path",
    "store": "store.path",
    "cert": "server.cert",
    "key": "server.key",
    "realtime": "server.realtime",
    "control": "control.enabled",
    "control_port": "control.port",
    "data": "backtest.data",
    "dataset": "backtest.dataset",
    "feed": "feed.spec",
    "candles": "feed.candles",
    "symbols": "feed.synthetic.symbols",
    "rate": "feed.synthetic.rate",
    "seed": "feed.synthetic.seed",
    "kind": "feed.replay.kind",
    "symbol": "feed.replay.symbol",
    "timeframe": "feed.replay.timeframe",
    "columns": "feed.replay.columns",
    "speed": "feed.replay.speed",
    "loop": "feed.replay.loop",
    "strict": "feed.replay.strict",
    "log_level": "log.level",
    "log_format": "log.format",
}

File = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="A TOML file of settings.")
]


def option(help_text: str, metavar: str | None = None) -> Any:
    """An option that is None unless given, so that other sources may set it."""
    return typer.Option(help=help_text, metavar=metavar, show_default=False)


@expected
def serve(
    config_file: File = None,
    feed: Annotated[
        str | None, option("synthetic (default), replay:FILE, ws://… or nng:….", "SPEC")
    ] = None,
    host: Annotated[str | None, option("Address to bind, default 127.0.0.1.", "ADDRESS")] = None,
    port: Annotated[str | None, option("Port, default 8082; 0 is any free one.", "N")] = None,
    ports: Annotated[
        str | None, option("Other ports: off, or as rest=8080,backtest=8081,risk=off.", "MAP")
    ] = None,
    dialect: Annotated[str | None, option("Envelope, default trading-api.", "NAME")] = None,
    subscriptions: Annotated[
        str | None, option("What a session gets that names nothing.", "ITEMS")
    ] = None,
    store: Annotated[
        str | None, option("Keep orders and strategies in this file, or off: memory.", "FILE|off")
    ] = None,
    journal: Annotated[
        str | None, option("Keep events for resuming over a restart.", "FILE")
    ] = None,
    cert: Annotated[Path | None, option("PEM certificate: serve wss://.", "FILE")] = None,
    key: Annotated[Path | None, option("Its PEM key, if not in there.", "FILE")] = None,
    realtime: Annotated[
        bool | None, option("Have CPUs before all ordinary programs (SCHED_RR).")
    ] = None,
    control: Annotated[
        bool | None, typer.Option("--control/--no-control", help="Metrics and sessions by HTTP.")
    ] = None,
    control_port: Annotated[str | None, option("Their port, default 9082.", "N")] = None,
    data: Annotated[Path | None, option("Folder of data sets for backtests.", "DIR")] = None,
    dataset: Annotated[
        str | None, option("That of backtests that name none; default: the only one.", "NAME")
    ] = None,
    candles: Annotated[
        str | None, option("Built from quotes, default 1s to 1d.", "TIMEFRAMES")
    ] = None,
    symbols: Annotated[
        str | None, option("Synthetic: how many symbols, or their names.", "N|NAMES")
    ] = None,
    rate: Annotated[str | None, option("Synthetic: quotes a second.", "R|max")] = None,
    seed: Annotated[str | None, option("Synthetic: same seed, same quotes.", "N")] = None,
    kind: Annotated[str | None, option("Replay: quotes, bars or auto.", "KIND")] = None,
    symbol: Annotated[str | None, option("Replay: the symbol of every row.", "NAME")] = None,
    timeframe: Annotated[str | None, option("Replay: the timeframe of every bar.", "NAME")] = None,
    columns: Annotated[
        str | None, option("Replay: as time=0,bid=1, by name or position.", "MAP")
    ] = None,
    speed: Annotated[str | None, option("Replay: times the original pace.", "X|max")] = None,
    loop: Annotated[bool | None, option("Replay: begin again at the end.")] = None,
    strict: Annotated[bool | None, option("Replay: a bad row ends the feed.")] = None,
    log_level: Annotated[str | None, option("debug, info, warning or error.", "LEVEL")] = None,
    log_format: Annotated[str | None, option("console or json.", "FORMAT")] = None,
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="End when the feed does.")
    ] = False,
) -> None:
    """Route a feed to WebSocket sessions until SIGINT or SIGTERM.

    Other settings (auth, limits, …) are in a file or in FASTROUTER_SECTION__KEY variables;
    `fastrouter config schema` lists them.
    """
    given = locals()
    overrides = {key: given[name] for name, key in KEYS.items()} | _ports(ports)
    settings = config.load(config_file, overrides).settings
    if not app.serve(settings, exit_when_done=exit_when_done, ready=_tell):
        fail("a second signal cut off sessions before they had all their bytes", "INTERRUPTED", 1)


def _ports(text: str | None) -> dict[str, str]:
    """``rest=8081,ai=off`` as settings; ``off`` is all of them."""
    if text is None:
        return {}
    if text.strip() == "off":
        return {f"ports.{name}": "off" for name in config.Ports.model_fields}
    pairs = [item.partition("=") for item in text.split(",")]
    for name, equals, _ in pairs:
        if not equals:
            raise ConfigError(
                f"--ports {text}: {name!r} has no =; allowed: off, or NAME=PORT items"
            )
    return {f"ports.{name.strip()}": port.strip() for name, _, port in pairs}


def _tell(serving: app.Serving) -> None:
    """Print where sessions are served and how to watch one."""
    console = Console(soft_wrap=True)
    table = Table("endpoint", "dialect", "for", title="fastrouter", title_justify="left")
    for place in serving.endpoints:
        table.add_row(*place)
    if serving.rest is not None:
        table.add_row(f"{serving.rest}/docs", "", "REST")
        table.add_row(f"{serving.rest}/fastrouter.js", "", "browsers")
    if serving.control is not None:
        table.add_row(f"{serving.control}/metrics", "", "Prometheus")
        table.add_row(f"{serving.control}/sessions", "", "operators")
    if serving.bus is not None:
        table.add_row(serving.bus, "dgbit", "event bus")
    console.print(table)
    console.print(f"feed       {serving.feed}", highlight=False)
    if serving.account is not None:
        console.print(f"orders     {serving.account}", highlight=False)
    console.print(f"watch it   fastrouter tail {serving.urls[-1]}", highlight=False)
    console.print(
        f"or         websocat '{serving.urls[-1]}?subscriptions=*:quote'", highlight=False
    )
    for name in serving.strategies[:1] if serving.rest is not None else ():
        console.print(
            f"start one  curl -X POST {serving.rest}/v1/strategies/{name}/start", highlight=False
        )
    console.print("stop it    Ctrl-C", highlight=False)
