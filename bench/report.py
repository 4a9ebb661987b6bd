"""The table, by rich when it is there, and the JSON of the fan-out bench."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .summary import Row, Spread, Verdict

HEADINGS = (
    "subject",
    "deliveries/s",
    "min-max",
    "x one-send",
    "x coal.",
    "p50 ms",
    "p99 ms",
    "x coal.",
    "due p99",
    "x coal.",
    "CPU s/M",
    "server",
    "gen.",
    "others",
    "lost",
)


def _rates(rate: Spread) -> tuple[str, str]:
    unit, divisor = ("M", 1e6) if rate.median >= 1e6 else ("k", 1e3)
    low, middle, high = (f"{value / divisor:.4g}" for value in (rate.min, rate.median, rate.max))
    return f"{middle} {unit}", f"{low}-{high}"


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _lost(row: Row) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in row.faults.items()) or "0"


def _cells(row: Row) -> tuple[str, ...]:
    bound = " !" if row.generator_bound else ""
    return (
        row.subject,
        *_rates(row.rate),
        _times(row.to_one_send),
        _times(row.to_coalesced),
        f"{row.p50.median:.2f}",
        f"{row.p99.median:.2f}",
        _times(row.p99_to_coalesced),
        f"{row.p99_due.median:.2f}" if row.case.rate else "",
        _times(row.p99_due_to_coalesced) if row.case.rate else "",
        f"{row.cpu_per_million.median:.2f}",
        f"{row.server_cpu.median:.0%}",
        f"{row.generator_cpu.median:.0%}{bound}",
        f"{row.others_cpu.max:.0%}{' ?' if row.disturbed else ''}",
        _lost(row),
    )


def _print_rich(title: str, cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in HEADINGS:
        first = heading == HEADINGS[0]
        table.add_column(heading, justify="left" if first else "right", no_wrap=first)
    for line in cells:
        table.add_row(*line)
    console = Console()
    Console(width=max(console.width, 160) if not console.is_terminal else None).print(table)


def _print_plain(title: str, cells: Sequence[Sequence[str]]) -> None:
    lines = [HEADINGS, *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    print(title)
    for line in lines:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _print_case(title: str, cells: Sequence[Sequence[str]]) -> None:
    try:
        _print_rich(title, cells)
    except ImportError:
        _print_plain(title, cells)


def print_tables(rows: Sequence[Row], found: Sequence[Verdict]) -> None:
    """A table for each case, then the aims."""
    for case in dict.fromkeys(row.case for row in rows):
        _print_case(case.label, [_cells(row) for row in rows if row.case == case])
    if any(row.generator_bound for row in rows):
        print("! generator above 90 % of its CPU: its row is a lower bound")
    if any(row.disturbed for row in rows):
        print("? other processes took up to that much of a CPU: trust CPU s/M and a quieter run")
    for verdict in found:
        print(verdict_line(verdict))


def verdict_line(verdict: Verdict) -> str:
    """One aim, whether it holds, and what was measured."""
    return f"{'holds ' if verdict.holds else 'MISSES'}  {verdict.aim}: {verdict.measured}"


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def as_json(rows: Sequence[Row], found: Sequence[Verdict]) -> str:
    """Everything, each round included, times in ms."""
    document = {
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
        "aims": [asdict(verdict) for verdict in found],
    }
    return json.dumps(document, indent=1)
