"""A folder of data sets.

::

    DIR/eurusd.csv           the data set ``eurusd``, one file (.csv, .csv.gz, .parquet)
    DIR/eurusd.toml          how that file is read, where it does not say itself
    DIR/futures/*.parquet    the data set ``futures``, its files in the order of their names
    DIR/futures/dataset.toml how they are all read
    DIR/futures/a.toml       how a.parquet is read, where that differs

What has the same name (``a.csv`` and ``a.parquet``, or ``a.csv`` and ``a/``) is offered by neither:
it is listed as bad, naming all that have it, and refused with that reason. Within a folder names
do not matter. What is hidden (``.a.csv``) is passed over.

A description has the keys of `track.Reading`::

    symbol = "C:EURUSD"
    kind = "quotes"            # or "bars"
    timeframe = "1m"           # of bars
    time_format = "compact"    # see feeds.times
    columns = { time = 0, bid = 1, ask = 2 }
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..errors import FeedError
from .dataset import Dataset
from .track import AS_IT_SAYS, Reading, Track

__all__ = ["Catalog", "open_dataset"]

SUFFIXES = (".csv", ".csv.gz", ".parquet")
FOR_ALL = "dataset.toml"

#: key of a description -> the types it may have, and those in words
KEYS: dict[str, tuple[tuple[type, ...], str]] = {
    "kind": ((str,), "a string"),
    "symbol": ((str,), "a string"),
    "timeframe": ((str,), "a string"),
    "time_format": ((str,), "a string"),
    "columns": ((dict,), "a table of FIELD = column name or position"),
}


class Catalog:
    """What a folder holds; it is looked at anew with each call, as files come and go.

    A folder that is gone holds nothing.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FeedError(f"{folder}: no such folder")
        self.folder = folder

    def names(self) -> list[str]:
        """The data sets' names, sorted."""
        return sorted(self._entries())

    def bad(self) -> dict[str, str]:
        """What looks like a data set and is none: its name, and why. Nothing is opened."""
        there = self._there()
        found = {name: _ambiguous(paths) for name, paths in there.items() if len(paths) > 1}
        for path in _inside(self.folder):
            if path.is_dir() and not _files(path):
                found.setdefault(path.name, f"no file in it ends with {', '.join(SUFFIXES)}")
            elif not path.is_dir() and not path.is_file() and (name := _stem(path)):
                gone = path.is_symlink() and not path.exists()
                why = "is a link to nothing" if gone else "is neither a file nor a folder"
                found.setdefault(name, f"{path.name} {why}")
        return {name: why for name, why in found.items() if len(there.get(name, ())) != 1}

    def open(self, name: str, reading: Reading = AS_IT_SAYS) -> Dataset:
        """The data set of that name. Raises FeedError: why it is bad, or what there is."""
        entries = self._entries()
        if name not in entries:
            if why := self.bad().get(name):
                raise FeedError(f"data set {name!r} in {self.folder}: {why}")
            there = ", ".join(sorted(entries)) or "none"
            raise FeedError(f"there is no data set {name!r} in {self.folder}; there are: {there}")
        return open_dataset(entries[name], reading)

    def shown(self, error: object) -> str:
        """The error without the folder's own path: clients need not know where it is."""
        return str(error).replace(f"{self.folder}/", "")

    def _entries(self) -> dict[str, Path]:
        return {name: paths[0] for name, paths in self._there().items() if len(paths) == 1}

    def _there(self) -> dict[str, list[Path]]:
        """What holds data, by name."""
        found: dict[str, list[Path]] = {}
        for path in _inside(self.folder):
            if path.is_dir() and _files(path):
                found.setdefault(path.name, []).append(path)
            elif path.is_file() and (name := _stem(path)):
                found.setdefault(name, []).append(path)
        return found


def open_dataset(path: Path, reading: Reading = AS_IT_SAYS) -> Dataset:
    """The data set that a file or folder is.

    What `reading` says goes before the description of each file, and that before the folder's.

    Raises FeedError.
    """
    if path.is_dir():
        files = _files(path)
        if not files:
            names = ", ".join(Catalog(path).names())
            hint = f"; there are data sets in it: {names}; name one, of --data {path}"
            none = f"{path}: no file in it ends with {', '.join(SUFFIXES)}"
            raise FeedError(f"{none}{hint if names else ''}")
        return Dataset(path.name, [_track(file, reading, path / FOR_ALL) for file in files])
    return Dataset(_stem(path) or path.name, [_track(path, reading)])


def _ambiguous(paths: list[Path]) -> str:
    names = [f"{path.name}/" if path.is_dir() else path.name for path in paths]
    return f"the name is ambiguous: {' and '.join(names)} have it; rename all but one"


def _files(folder: Path) -> list[Path]:
    return [path for path in _inside(folder) if path.is_file() and _stem(path)]


def _inside(folder: Path) -> list[Path]:
    """What is not hidden, sorted; nothing when it is gone or may not be read."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _stem(path: Path) -> str:
    """The name without a suffix of ours; "" for another."""
    for suffix in SUFFIXES:
        if path.name.endswith(suffix):
            return path.name.removesuffix(suffix)
    return ""


def _track(path: Path, reading: Reading, *above: Path) -> Track:
    """A file, read as it is told, else as the file beside it says, else as those above do."""
    beside = path.parent / f"{_stem(path) or path.name}.toml"
    files = tuple(file for file in dict.fromkeys((*above, beside)) if file.is_file())
    found: dict[str, Any] = {}
    for file in files:
        found |= _description(file)
    found |= {key: value for key, value in reading._asdict().items() if value is not None}
    return Track(path, Reading(**found), files)


def _description(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FeedError(f"{file}: {error}") from None
    for key, value in table.items():
        _check(file, key, value)
    return table


def _check(file: Path, key: str, value: Any) -> None:
    if key not in KEYS:
        raise FeedError(f"{file}: {key!r} is not known; allowed: {', '.join(KEYS)}")
    types, words = KEYS[key]
    if not isinstance(value, types):
        raise FeedError(f"{file}: {key} is {value!r}; allowed: {words}")
    for field, column in value.items() if isinstance(value, dict) else ():
        if type(column) not in (str, int):
            allowed = "the name of a column, or its position from 0"
            raise FeedError(f"{file}: {key}.{field} is {column!r}; allowed: {allowed}")
