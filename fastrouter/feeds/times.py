"""Times of a column as nanoseconds since the epoch. What names no zone is UTC.

==========  =====================================================================
``iso``     ``2020-01-01 17:00:00.065``, also with ``T``, a zone, ``/`` or ``.`` in
            the date, or a date alone
``compact`` ``20200101 170000065``, also without the space, with colons, or
            a date alone
``s``       seconds since the epoch, with decimals or without
``ms``      milliseconds
``us``      microseconds
``ns``      nanoseconds
==========  =====================================================================

A Parquet column that is a time already needs none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FeedError
from .arrow import arrow
from .cells import cast_each, is_text, plain

__all__ = ["TIME_FORMATS", "TimeParser"]

UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
TIME_FORMATS = ("iso", "compact", *UNITS)

LARGEST = 2**63 - 1
NUMBER = re.compile(r"-?\d+(\.\d*)?")
COMPACT = re.compile(r"(19|20)\d{6}([ T]\d\d:?\d\d:?\d\d\.?\d*)?")

COMPACT_DATE = r"^(\d{4})(\d\d)(\d\d)$"
COMPACT_TIME = r"^(\d{4})(\d\d)(\d\d)[ T]?(\d\d):?(\d\d):?(\d\d)\.?(\d{0,8})$"
ISO_FIXES = (
    (r"^(\d{4})[-/.](\d\d)[-/.](\d\d)", r"\1-\2-\3"),
    (r"^(\d{4}-\d\d-\d\d)$", r"\1T00:00:00Z"),
    (r" ?UTC$", "Z"),
    (r"([ T]\d\d(:\d\d){0,2}(\.\d+)?)$", r"\1Z"),
)
"""What pyarrow does not read by itself, and how it is written so that it does."""

Times = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]
"""Times, and which of them are good."""


class TimeParser:
    """Reads times in one format, which the first column tells if nobody else does."""

    def __init__(self, form: str | None = None) -> None:
        if form is not None and form not in TIME_FORMATS:
            raise FeedError(
                f"time format {form!r} is not known; allowed: {', '.join(TIME_FORMATS)}"
            )
        self._form = form

    def form_of(self, texts: Iterable[str]) -> tuple[str, int] | None:
        """The format that was told, or that of the first text that has one; None: none has.

        With it the unit (ns) of those that are numbers, else 1.
        """
        if self._form is None:
            found = (form_of(text.strip(), True) for text in texts)
            self._form = next((form for form in found if form), None)
        return None if self._form is None else (self._form, UNITS.get(self._form, 1))

    def parse(self, column: Any) -> Times:
        """The column's times (ns), and which cells hold one. Raises FeedError for its type."""
        pa, pc, types = arrow(), arrow("compute"), arrow("types")
        column = plain(column)
        if is_text(column):
            return self._parse_text(column)
        if types.is_timestamp(column.type) or types.is_date(column.type):
            null = pa.nulls(1, pa.timestamp("ns"))
            return from_arrow(cast_each(column, to_nanoseconds, null))
        if types.is_integer(column.type):
            form = self._detect(column)
            return scaled(cast_each(column, to_int64, pa.nulls(1, pa.int64())), UNITS[form])
        if types.is_floating(column.type) or types.is_decimal(column.type):
            unit = UNITS[self._detect(column)]
            values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            good = np.abs(values) < LARGEST / unit  # False for NaN
            return np.rint(np.where(good, values, 0.0) * unit).astype(np.int64), good
        raise FeedError(f"column for time has type {column.type}, not times")

    def _parse_text(self, column: Any) -> Times:
        form = self._detect(column)
        if form in UNITS:
            return epoch(column, UNITS[form])
        if form == "compact":
            pc = arrow("compute")
            column = pc.utf8_trim_whitespace(column)
            column = pc.replace_substring_regex(column, COMPACT_DATE, r"\1-\2-\3 00:00:00")
            column = pc.replace_substring_regex(column, COMPACT_TIME, r"\1-\2-\3 \4:\5:\6.\7" + "0")
        return iso(column)

    def _detect(self, column: Any) -> str:
        """The format that was told, or that of the first cell that has one."""
        if self._form is None or (self._form not in UNITS and not is_text(column)):
            for cell in column:
                text = str(cell.as_py() if cell.is_valid else "").strip()
                if text and (form := form_of(text, is_text(column))):
                    self._form = form
                    break
        return self._form or "iso" if is_text(column) else self._form or "ns"


def form_of(text: str, dated: bool) -> str | None:
    """The format of one cell; ``dated``: it may be more than a number."""
    if dated and COMPACT.fullmatch(text):
        return "compact"
    if NUMBER.fullmatch(text) or not dated:
        try:
            size = abs(float(text))
        except ValueError:
            return None
        return "s" if size < 1e11 else "ms" if size < 1e14 else "us" if size < 1e17 else "ns"
    return "iso" if re.match(r"\d{4}[-/.]\d\d[-/.]\d\d", text) else None


def to_nanoseconds(column: Any) -> Any:
    pa = arrow()
    zone = getattr(column.type, "tz", None)
    return arrow("compute").cast(column, pa.timestamp("ns", zone))


def to_int64(column: Any) -> Any:
    return arrow("compute").cast(column, arrow().int64())


def from_arrow(stamps: Any) -> Times:
    good = stamps.is_valid().to_numpy(zero_copy_only=False)
    pc, pa = arrow("compute"), arrow()
    return pc.fill_null(pc.cast(stamps, pa.int64()), 0).to_numpy(zero_copy_only=False), good


def scaled(values: Any, unit: int, more: Any = 0) -> Times:
    """Integers with nulls, times ``unit``, plus ``more`` (ns)."""
    good = values.is_valid().to_numpy(zero_copy_only=False)
    numbers = arrow("compute").fill_null(values, 0).to_numpy(zero_copy_only=False)
    limit = LARGEST // unit - 1
    good &= (numbers <= limit) & (numbers >= -limit)
    return np.where(good, numbers, 0) * unit + more, good


def epoch(column: Any, unit: int) -> Times:
    """Decimal texts in ``unit`` (ns); digits below a nanosecond are cut off."""
    pa, pc = arrow(), arrow("compute")
    try:
        return scaled(to_int64(column), unit)
    except pa.ArrowInvalid:
        pattern = r"^\s*(?P<sign>-?)(?P<whole>\d{1,19})(?:\.(?P<rest>\d{0,9})\d*)?\s*$"
        parts = pc.extract_regex(column, pattern)
        none = pa.nulls(1, pa.int64())
        whole = cast_each(pc.struct_field(parts, [1]), to_int64, none)
        digits = pc.utf8_rpad(pc.struct_field(parts, [2]), 9, padding="0")
        rest = pc.fill_null(to_int64(digits), 0).to_numpy(zero_copy_only=False)
        times, good = scaled(whole, unit, rest * unit // 10**9)
        minus = pc.fill_null(pc.equal(pc.struct_field(parts, [0]), "-"), False)
        return np.where(minus.to_numpy(zero_copy_only=False), -times, times), good


def iso(column: Any) -> Times:
    pa, pc = arrow(), arrow("compute")
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return from_arrow(pc.cast(column, kind))
        except pa.ArrowInvalid:
            continue
    column = pc.utf8_trim_whitespace(column)
    for pattern, written in ISO_FIXES:
        column = pc.replace_substring_regex(column, pattern, written)
    kind = pa.timestamp("ns", "UTC")
    return from_arrow(cast_each(column, lambda cells: pc.cast(cells, kind), pa.nulls(1, kind)))
