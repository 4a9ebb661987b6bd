"""What the data sets of a folder hold, looked at once until their files change."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import FeedError
from .catalog import Catalog
from .dataset import Dataset
from .left_out import LeftOut
from .synthetic import Synthetic

__all__ = ["Listed", "Listing"]

MOST_SYMBOLS = 100_000  # of a data set; memory is bounded by them, whatever a file says


class Listed(NamedTuple):
    """A data set; instants are ns since the epoch, None as long as they are not known."""

    name: str
    state: str  # "ready", "reading", "bad"
    kinds: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    rows: int | None = None
    bad_rows: int | None = None
    files: tuple[str, ...] = ()  # relative to the folder
    error: str | None = None  # of a bad one; one without a row is bad, too


class Known(NamedTuple):
    """A data set, and of which version of its files that is: path, ns of the change, bytes."""

    version: tuple[tuple[Path, int, int], ...]  # () of what cannot be opened
    listed: Listed


class Listing:
    """The data sets of a catalog; None: the synthetic one alone."""

    def __init__(self, catalog: Catalog | None) -> None:
        self._catalog = catalog
        self._known: dict[str, Known] = {}
        self._stopped = threading.Event()

    def names(self) -> list[str]:
        """Those that there are, sorted."""
        return [Synthetic.name] if self._catalog is None else self._catalog.names()

    def bad(self) -> dict[str, str]:
        """What looks like one and is none: its name, and why."""
        return {} if self._catalog is None else self._catalog.bad()

    def found(self) -> list[Listed]:
        """As far as is known, by name."""
        return [known.listed for _, known in sorted(self._known.items())]

    def look(self) -> None:
        """Read what has changed: every row of it. One thread at a time; `stop` ends it soon."""
        if self._catalog is None:
            self._known[Synthetic.name] = Known((), _synthetic())
            return
        known: dict[str, Known] = {}
        reading: dict[str, Dataset] = {}
        for name in self.names():
            found, dataset = self._open(self._catalog, name)
            before = self._known.get(name)
            if before is not None and before.version == found.version and found.version:
                found = before
            known[name] = found
            if dataset is not None and found.listed.state == "reading":
                reading[name] = dataset
        known = {**self._bad(), **known}
        self._known = known
        for name, dataset in reading.items():
            if not self._stopped.is_set():
                known[name] = known[name]._replace(listed=self._read(known[name].listed, dataset))

    def stop(self) -> None:
        """Have `look` end within a block of rows, and never read again."""
        self._stopped.set()

    def _bad(self) -> dict[str, Known]:
        return {
            name: Known((), Listed(_text(name), "bad", error=_text(why)))
            for name, why in self.bad().items()
        }

    def _open(self, catalog: Catalog, name: str) -> tuple[Known, Dataset | None]:
        """What is known of it without reading it."""
        try:
            dataset = catalog.open(name)
            version = dataset.versions
        except (FeedError, OSError) as error:
            return Known((), Listed(_text(name), "bad", error=self._said(error))), None
        names = tuple(_text(file.relative_to(catalog.folder)) for file in dataset.files)
        kinds = tuple(sorted({track.kind for track in dataset.tracks}))
        return Known(version, Listed(_text(name), "reading", kinds, files=names)), dataset

    def _read(self, listed: Listed, dataset: Dataset) -> Listed:
        """The same with what its rows say; as it is when there was no time for them."""
        try:
            found = _scan(dataset, self._stopped)
        except (FeedError, OSError) as error:
            return listed._replace(state="bad", error=self._said(error))
        if found is None:
            return listed
        if (lack := found.pop("error")) is not None:
            return listed._replace(state="bad", error=self._said(lack), **found)
        return listed._replace(state="ready", **found)

    def _said(self, error: object) -> str:
        """The error without the folder's own path."""
        assert self._catalog is not None
        return _text(self._catalog.shown(error))


def _text(name: object) -> str:
    """As text that can be sent: a file's name may be any bytes."""
    return str(name).encode(errors="replace").decode()


def _scan(dataset: Dataset, stopped: threading.Event) -> dict[str, Any] | None:
    """What all rows say; None when stopped before the last."""
    symbols: set[bytes] = set()
    first: int | None = None
    last: int | None = None
    rows = 0
    left_out = LeftOut()
    for track in dataset.tracks:
        for block in track.blocks(on_bad=left_out):
            if stopped.is_set():
                return None
            symbols.update(np.unique(block.rows["symbol"]).tolist())
            if len(symbols) > MOST_SYMBOLS:
                raise FeedError(f"{track.path}: more than {MOST_SYMBOLS} symbols")
            begin, end = int(block.instants[0]), int(block.instants[-1])
            first = begin if first is None else min(first, begin)
            last = end if last is None else max(last, end)
            rows += len(block.rows)
    return {
        "symbols": tuple(sorted(symbol.decode() for symbol in symbols)),
        "first": first,
        "last": last,
        "rows": rows,
        "bad_rows": left_out.count,
        "error": None if rows else left_out.after("there is no row"),
    }


def _synthetic() -> Listed:
    name, kinds, symbols, first, last, rows, bad_rows = Synthetic().describe()
    return Listed(name, "ready", kinds, symbols, first, last, rows, bad_rows)
