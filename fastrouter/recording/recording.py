"""Events into the files they belong to, and what is to be said of that at the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.event import Candle, Event, Quote
from ..core.timeframe import TIMEFRAMES
from ..errors import FastrouterError
from ..feeds.rows import symbol_fault
from .layout import CANDLES, QUOTES, Layout, candle_row, quote_row
from .part import PARTS, failing, part_of
from .sheet import Sheet

__all__ = ["Recording", "Totals"]

DESCRIPTION = "dataset.toml"
HOW_TO_READ = 'time_format = "ns"\n'


@dataclass(slots=True)
class Totals:
    """What was recorded, and what was not; times are ns since the epoch, 0 when nothing was."""

    quotes: int = 0
    candles: int = 0
    first: int = 0
    last: int = 0
    snapshots: int = 0  # not recorded, as are …
    forming: int = 0
    late: int = 0
    other: int = 0  # of other kinds, or of a symbol that no row may have
    symbols: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        return self.quotes + self.candles

    def told(self) -> dict[str, Any]:
        """As JSON has it; of the symbols how many there are."""
        return {**asdict(self), "rows": self.rows, "symbols": len(self.symbols)}


class Recording:
    """The owner calls `flush` now and then, and `finish`.

    ``out``: a file, which is then of quotes or of candles alone, or a folder, whose files end
    with ``suffix``; it is made with the first row. Raises FastrouterError when there is one
    already, or what is left of one.
    """

    def __init__(self, out: Path, suffix: str = ".parquet") -> None:
        self.totals = Totals()
        self._out = out
        self._is_file = out.suffix in PARTS
        self._suffix = out.suffix if self._is_file else suffix
        self._sheets: dict[str, Sheet] = {}
        if part_of(out).exists() or out.exists():
            there = out if out.exists() else part_of(out)
            raise FastrouterError(f"{there} is there already", code="RECORDING_EXISTS")

    def take(self, event: Quote | Candle | Event) -> bool:
        """Record an event; False for one that is not to be. Raises FastrouterError."""
        if isinstance(event, Event):
            self.totals.other += 1
        elif event.snapshot:
            self.totals.snapshots += 1
        elif isinstance(event, Quote):
            return self._add(QUOTES, event.symbol, *quote_row(event))
        elif not event.closed:
            self.totals.forming += 1
        elif event.timeframe in TIMEFRAMES:
            return self._add(CANDLES, event.symbol, *candle_row(event))
        else:
            self.totals.other += 1
        return False

    def flush(self) -> None:
        """Write what has come, but for what something may come before."""
        for sheet in self._sheets.values():
            sheet.flush()

    def finish(self) -> list[Path]:
        """Write all that has come; the files there are then."""
        for sheet in self._sheets.values():
            sheet.finish()
        return [sheet.path for sheet in self._sheets.values()]

    def close(self) -> None:
        """Leave the files as they are, for `salvage`; nothing after `finish`."""
        for sheet in self._sheets.values():
            sheet.close()

    def _add(self, layout: Layout, symbol: str, known: int, row: tuple[Any, ...]) -> bool:
        totals = self.totals
        if symbol not in totals.symbols and symbol_fault(symbol):
            totals.other += 1
            return False
        sheet = self._sheets.get(layout.name) or self._begin(layout)
        if not sheet.add(known, row):
            totals.late += 1
            return False
        totals.first = min(totals.first or known, known)
        totals.last = max(totals.last, known)
        totals.symbols.add(symbol)
        setattr(totals, layout.name, sheet.rows)
        return True

    def _begin(self, layout: Layout) -> Sheet:
        path = self._out if self._is_file else self._out / f"{layout.name}{self._suffix}"
        if self._is_file and self._sheets:
            (name,) = self._sheets
            raise FastrouterError(
                f"{path} is a file of {name}, and {layout.name} come too; allowed: subscriptions"
                " to one of them, or the name of a folder",
                code="RECORDING_FAILED",
            )
        if not self._is_file and not self._sheets:
            with failing(path):
                self._out.mkdir(parents=True)
                (self._out / DESCRIPTION).write_text(HOW_TO_READ)
        sheet = self._sheets[layout.name] = Sheet(path, layout)
        return sheet
