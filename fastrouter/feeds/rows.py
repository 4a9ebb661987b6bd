"""Batches of columns into rows that a router takes, and what is wrong with the others."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE, SYMBOL_SIZE, TIMEFRAME_SIZE, Rows
from ..core.timeframe import TIMEFRAMES, parse_timeframe
from ..errors import FeedError
from .cells import to_codes, to_floats
from .columns import KINDS, Mapped
from .feed import Volumes
from .scanner import Scanner
from .source import Batch, Lines, split
from .times import TimeParser

__all__ = ["BadRow", "RowBuilder", "symbol_fault"]

BadRow = tuple[int, str]
"""A row's number in its file, and what is wrong with it."""

DTYPES = {"quotes": QUOTE_DTYPE, "bars": CANDLE_DTYPE}
PLACES = 10
"""Decimals of a mid that stands in for ``last``."""

Mask = npt.NDArray[np.bool_]


def symbol_fault(symbol: str) -> str | None:
    """Why this is not a symbol, or None."""
    if not symbol:
        return "symbol is empty"
    if len(symbol.encode()) > SYMBOL_SIZE:
        return f"symbol {symbol!r} has more than {SYMBOL_SIZE} bytes"
    if any(c in ",*\ufffd" or c.isspace() or not c.isprintable() for c in symbol):
        return f"symbol {symbol!r} holds a character that no symbol may have"
    return None


def timeframe_fault(timeframe: str) -> str | None:
    try:
        parse_timeframe(timeframe)
    except ValueError as error:
        return str(error)
    return None


class RowBuilder:
    """Turns the batches of one file into arrays of QUOTE_DTYPE or CANDLE_DTYPE."""

    def __init__(
        self, mapped: Mapped, times: TimeParser, *, symbol: str | None, timeframe: str | None
    ) -> None:
        self._kind = mapped.kind
        self._positions = mapped.positions
        self._times = times
        self._texts = {"symbol": symbol}
        if mapped.kind == "bars":
            self._texts["timeframe"] = timeframe
        for name, text in self._texts.items():
            fault = FAULTS[name](text) if text is not None else None
            if fault:
                raise FeedError(fault)
        if symbol is None and "symbol" not in mapped.positions:
            raise FeedError("no column names the symbol: say symbol, as in C:EURUSD")
        self._looked = False
        self._scanner: Scanner | None = None

    @property
    def wanted(self) -> list[int]:
        """Positions of the columns it reads."""
        told = {name for name, text in self._texts.items() if text is not None}
        used = {i for name, i in self._positions.items() if name not in told}
        return sorted(used)

    def build(self, batch: Batch | Lines) -> tuple[Rows, Volumes | None, list[BadRow]]:
        """The good rows in their order, and the bad ones, each with its first fault.

        Between them: what was traded with each quote, if a column tells.
        """
        if isinstance(batch, Batch):
            return self.build_of_columns(batch)
        found = self._scan(batch)
        return self.build_of_columns(batch.batch) if found is None else (*found, [])

    def build_of_columns(self, batch: Batch) -> tuple[Rows, Volumes | None, list[BadRow]]:
        """The same, with a look at every column."""
        rows = np.zeros(len(batch.numbers), DTYPES[self._kind])
        volumes = np.zeros(len(rows)) if self._has_volumes else None
        faults: dict[int, str] = {}
        if len(rows):
            self._fill_time(rows, batch, faults)
            self._fill_numbers(rows, volumes, batch, faults)
            for wrong, why in SENSE[self._kind]:
                for i in np.flatnonzero(wrong(rows)).tolist():
                    faults.setdefault(i, why)
            for name in self._texts:
                self._fill_text(rows, name, batch, faults)
        if self._kind == "bars":
            rows["closed"] = True
        bad = [*batch.rejected, *((int(batch.numbers[i]), why) for i, why in faults.items())]
        if faults:
            rows = np.delete(rows, list(faults))
            volumes = None if volumes is None else np.delete(volumes, list(faults))
        return rows, volumes, sorted(bad)

    @property
    def _has_volumes(self) -> bool:
        return self._kind == "quotes" and "volume" in self._positions

    def _scan(self, lines: Lines) -> tuple[Rows, Volumes | None] | None:
        """The rows at once, when there is nothing to say of any; None: look at the columns."""
        form = self._times.form_of(cells(lines, self._positions["time"]))
        if form is None or (self._kind == "bars" and not self._knows_timeframe):
            return None
        if not self._looked:
            self._looked, self._scanner = True, self._make_scanner(*lines.shape)
        found = self._scanner.scan(lines.text, *form) if self._scanner else None
        if found is not None:
            lines.count = len(found[0])
        return found

    @property
    def _knows_timeframe(self) -> bool:
        return self._texts["timeframe"] is not None or "timeframe" in self._positions

    def _make_scanner(self, width: int, delimiter: str) -> Scanner | None:
        fields: list[str | None] = [None] * width
        for name, i in self._positions.items():
            if self._texts.get(name) is None:
                fields[i] = name
        try:
            return Scanner(self._blank(), fields, KINDS[self._kind].optional, delimiter, FAULTS)
        except ValueError:
            return None

    def _blank(self) -> Rows:
        """A row with what no cell says."""
        blank = np.zeros(1, DTYPES[self._kind])
        for name, text in self._texts.items():
            blank[name] = (text or "").encode()
        if self._kind == "bars":
            blank["closed"] = True
        else:
            blank["last"] = np.nan
        return blank

    def _fill_time(self, rows: Rows, batch: Batch, faults: dict[int, str]) -> None:
        column = batch.columns[self._positions["time"]]
        times, good = self._times.parse(column)
        rows["time"] = times
        if not good.all():
            note(faults, ~good, "time", column, "is not a time")

    def _fill_numbers(
        self, rows: Rows, volumes: Volumes | None, batch: Batch, faults: dict[int, str]
    ) -> None:
        kind = KINDS[self._kind]
        for name in (*kind.required, *kind.optional):
            if name in ("time", "symbol", "timeframe"):
                continue
            if name not in (rows.dtype.names or ()):  # the volume of quotes
                if volumes is not None:
                    self._fill_volumes(volumes, batch, faults)
                continue
            default = mid(rows) if name == "last" else 0.0
            if name not in self._positions:
                rows[name] = default
                continue
            column = batch.columns[self._positions[name]]
            values, empty = to_floats(column, name)
            if name in kind.optional:
                values = np.where(empty, default, values)
            rows[name] = values
            finite = np.isfinite(values)
            if not finite.all():
                note(faults, ~finite, name, column, "is not a number")
        if self._kind == "quotes" and not np.isfinite(rows["last"]).all():
            for i in np.flatnonzero(~np.isfinite(rows["last"])).tolist():
                faults.setdefault(i, "last: the mid is not finite")

    def _fill_volumes(self, volumes: Volumes, batch: Batch, faults: dict[int, str]) -> None:
        column = batch.columns[self._positions["volume"]]
        values, empty = to_floats(column, "volume")
        volumes[:] = np.where(empty, 0.0, values)
        if not (finite := np.isfinite(volumes)).all():
            note(faults, ~finite, "volume", column, "is not a number")
        for i in np.flatnonzero(volumes < 0).tolist():
            faults.setdefault(i, "volume is negative")

    def _fill_text(self, rows: Rows, name: str, batch: Batch, faults: dict[int, str]) -> None:
        """A text that was told goes to every row, else the column's."""
        told = self._texts[name]
        if told is None and name not in self._positions:
            if len(faults) == len(rows):
                return
            told = self._texts[name] = common_timeframe(rows, faults)
        if told is not None:
            rows[name] = told.encode()
            return
        texts, codes = to_codes(batch.columns[self._positions[name]], name)
        wrong = {code: why for code, text in enumerate(texts) if (why := FAULTS[name](text))}
        for code, why in wrong.items():
            for i in np.flatnonzero(codes == code).tolist():
                faults.setdefault(i, why)
        table = [b"" if code in wrong else text.encode() for code, text in enumerate(texts)]
        rows[name] = np.array(table, rows.dtype[name])[codes]


Rule = tuple[Callable[[Rows], Mask], str]

#: What no quote or bar can be; a crossed market and a negative price exist (futures had both).
SENSE: dict[str, tuple[Rule, ...]] = {
    "quotes": (
        (lambda rows: rows["bid_size"] < 0, "bid_size is negative"),
        (lambda rows: rows["ask_size"] < 0, "ask_size is negative"),
    ),
    "bars": (
        (
            lambda rows: rows["high"] < np.maximum(rows["open"], rows["close"]),
            "high is below open or close",
        ),
        (
            lambda rows: rows["low"] > np.minimum(rows["open"], rows["close"]),
            "low is above open or close",
        ),
        (lambda rows: rows["volume"] < 0, "volume is negative"),
    ),
}

FAULTS = {"symbol": symbol_fault, "timeframe": timeframe_fault}


def mid(rows: Rows) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        middle = (rows["bid"] + rows["ask"]) / 2.0
        exact = np.abs(middle) < 2**53 / 10**PLACES
        rounded: npt.NDArray[np.float64] = np.where(exact, np.round(middle, PLACES), middle)
    return rounded


def note(faults: dict[int, str], wrong: Mask, name: str, column: Any, what: str) -> None:
    """Say of the rows that are ``wrong`` what their cell is, unless something was said."""
    for i in np.flatnonzero(wrong).tolist():
        cell = column[i].as_py()
        text = "" if cell is None else str(cell).strip()
        if not text:
            why = f"{name} is empty"
        elif name != "time" and text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            why = f"{name}: {text} is not finite"
        else:
            why = f"{name}: {text[:60]!r} {what}"
        faults.setdefault(i, why)


def cells(lines: Lines, column: int) -> Iterator[str]:
    """A column's cells, one after the other; none where lines are more than they seem."""
    width, delimiter = lines.shape
    if lines.text.count(b"\r") != lines.text.count(b"\r\n"):
        return
    for line in io.BytesIO(lines.text):
        texts = split(line.decode(errors="replace").rstrip("\r\n"), delimiter)
        if len(texts) == width:
            yield texts[column]


def common_timeframe(rows: Rows, faults: dict[int, str]) -> str:
    """The timeframe that most bars of the first symbol are apart. Raises FeedError."""
    rows = np.delete(rows, list(faults))
    gaps = np.diff(rows["time"][rows["symbol"] == rows["symbol"][:1]])
    lengths, counts = np.unique(gaps[gaps > 0], return_counts=True)
    if not len(lengths):
        raise FeedError("too few bars to tell their timeframe: say timeframe")
    length = int(lengths[np.argmax(counts)])
    for name, value in TIMEFRAMES.items():
        if value == length:
            return name
    raise FeedError(
        f"bars are {length / 1e9:g} s apart, which is no timeframe: say one of"
        f" {', '.join(TIMEFRAMES)}"
    )


assert max(map(len, TIMEFRAMES)) <= TIMEFRAME_SIZE
