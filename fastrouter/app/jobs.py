"""Jobs, and the data sets that they are of, as they are configured."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from fastrouter import config
from fastrouter.app.backtest import catalog_of
from fastrouter.app.ports import Ports
from fastrouter.app.stop import end
from fastrouter.config.inherited import inherited
from fastrouter.control.database import Database
from fastrouter.control.datasets import Datasets
from fastrouter.control.jobs.api import Offer
from fastrouter.control.jobs.job import Job
from fastrouter.control.jobs.jobs import Jobs, Options
from fastrouter.control.jobs.performance import Program
from fastrouter.control.leftovers import mark
from fastrouter.engine.catalog import Catalog
from fastrouter.engine.listing import Listing
from fastrouter.engine.synthetic import Synthetic
from fastrouter.errors import ConfigError, FeedError, StoreError
from fastrouter.session import subscriptions

__all__ = ["Backtests", "Programs"]

COMMAND = (sys.executable, "-P", "-m", "fastrouter.cli", "backtest")

#: what of a request is an option of the command by the same name -> as text
OPTIONS: dict[str, Any] = {
    "start": str,
    "end": str,
    "symbols": ",".join,
    "window": str,
    "cash": str,
    "commission": lambda rates: ",".join(f"{name}:{rate}" for name, rate in rates.items()),
    "shorting": lambda yes: str(yes).lower(),
}


class Backtests:
    """Jobs of a server: made before its ports are open, `open` after, `close` before they go.

    Their logs are where that is configured, else beside the store, else in a folder that goes
    with us. Raises ConfigError.
    """

    def __init__(self, ports: Ports, database: Database) -> None:
        settings = ports.settings
        section = settings.jobs
        catalog = catalog_of(settings.backtest)
        self._while: tempfile.TemporaryDirectory[str] | None = None
        folder = section.logs or self._beside(database.path)
        self.jobs = Jobs(
            database,
            Options(
                folder,
                section.at_once,
                section.waiting,
                section.keep,
                section.timeout_seconds,
                section.grace_seconds,
                section.nice,
            ),
            Programs(settings, catalog, folder, mark(database.identity)),
            lambda payload: ports.router.publish("job", payload),
            time.time_ns,
        )
        self.datasets = Datasets(Listing(catalog))
        ports.parts.jobs = self.jobs
        ports.parts.datasets = self.datasets
        ports.parts.offer = Offer(
            lambda: settings.strategies.keys(),
            self.datasets.names,
            subscriptions.parse,
            self.datasets.bad,
        )

    def _beside(self, store: Path | None) -> Path:
        if store is not None:
            return store.parent / f"{store.name}-jobs"
        self._while = tempfile.TemporaryDirectory(prefix="fastrouter-jobs-")
        return Path(self._while.name)

    async def open(self) -> None:
        """Take up what an earlier server left. Raises ConfigError for an unreadable store."""
        try:
            await self.jobs.open()
        except StoreError as error:
            raise ConfigError(f"jobs: {error}") from None
        self.jobs.begin()

    async def close(self, at_once: asyncio.Event | None = None) -> None:
        """End those that run, within their grace; without any from `at_once` on. Safe again."""
        await end(self.jobs.close(), self.jobs.kill, at_once)
        await self.datasets.close()
        if self._while is not None:
            self._while.cleanup()


class Programs:
    """What is run for a job: ``fastrouter backtest``, with a configured strategy's command.

    Without a `catalog` there is the synthetic data set alone; it is written to `folder` for that.
    `more` is what they all find in their environment.
    """

    def __init__(
        self,
        settings: config.Settings,
        catalog: Catalog | None,
        folder: Path,
        more: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._folder = folder
        self._more = more

    def __call__(self, job: Job) -> Program:
        """Raises ConfigError, FeedError: the strategy or the data is there no more."""
        request = job.request
        name = request["strategy"]
        strategy = self._settings.strategies.get(name)
        if strategy is None:
            raise ConfigError(f"there is no strategy {name!r} any more")
        path, quotes = self._data(request["dataset"])
        settings = dict(request.get("config") or {})
        if quotes and strategy.data_resolution is not None:  # bars have one of their own
            settings.setdefault("dataResolution", strategy.data_resolution)
        candles = [*self._settings.feed.candles, settings.get("dataResolution")]
        more = {
            "candles": ",".join(dict.fromkeys(filter(None, candles))) if quotes else None,
            "subscriptions": request.get("subscriptions") or strategy.subscriptions,
        }
        command = [
            *(*COMMAND, "--json", "--progress=json", *_options(request)),
            *(f"--{option}={text}" for option, text in more.items() if text),
            *(str(path), "--", *strategy.command),
        ]
        environment = _environment(strategy, request, settings)
        return Program(command, {**inherited(), **environment, **self._more})

    def _data(self, name: str) -> tuple[Path, bool]:
        """The data set's file or folder, and whether there are quotes in it."""
        if self._catalog is None:
            return synthetic_file(self._folder), True
        dataset = self._catalog.open(name)
        first = dataset.files[0].absolute()
        folder = self._catalog.folder.absolute()
        quotes = any(track.kind == "quotes" for track in dataset.tracks)
        return first if first.parent == folder else first.parent, quotes


def _options(request: dict[str, Any]) -> Iterator[str]:
    for option, text in OPTIONS.items():
        if request.get(option) is not None:
            yield f"--{option}={text(request[option])}"


def _environment(
    strategy: config.Strategy, request: dict[str, Any], settings: dict[str, Any]
) -> dict[str, str]:
    """What the strategy finds beside the addresses, which the command knows."""
    symbols = request.get("symbols") or strategy.symbols
    return {
        **{name: secret.get_secret_value() for name, secret in strategy.environment.items()},
        "STRATEGY_ID": request["strategy"],
        "STRATEGY_CONFIG": orjson.dumps(settings).decode(),
        **({"STRATEGY_SYMBOLS": ",".join(symbols)} if symbols else {}),
    }


def synthetic_file(folder: Path) -> Path:
    """A file of the synthetic data set in that folder. Raises FeedError: it cannot be written."""
    path = folder / f"{Synthetic.name}.csv"
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as aside:  # another job may write it, too
                _write(Path(aside) / path.name).replace(path)
    except OSError as error:
        raise FeedError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _write(path: Path) -> Path:
    with path.open("x") as file:
        file.write("time,symbol,bid,ask,last,bid_size,ask_size\n")
        for stretch in Synthetic().stretches():
            for rows in stretch.parts:
                file.writelines(map(_line, rows.tolist()))
    return path


def _line(row: tuple[Any, ...]) -> str:
    symbol, *numbers = row
    time_ns, *prices = numbers
    return f"{time_ns},{symbol.decode()},{','.join(map(repr, prices))}\n"
