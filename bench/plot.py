"""Latency percentiles, one panel for each case, one line for each subject."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .measure import Run
from .summary import Row

MARKS = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99)


def _merged(runs: Sequence[Run]) -> list[tuple[int, int]]:
    slots: Counter[int] = Counter()
    for run in runs:
        slots.update(dict(run.latency.slots))
    return sorted(slots.items())


def _nines(share: float) -> float:
    """0 at the least value, 1 at the 90th percentile, 2 at the 99th ..."""
    return -math.log10(1 - share)


def percentile_line(slots: Sequence[tuple[int, int]]) -> tuple[list[float], list[float]]:
    """Points of a latency line: nines up to 99.99 % and milliseconds."""
    total = sum(count for _, count in slots)
    across: list[float] = []
    up: list[float] = []
    seen = 0
    for low, count in slots:
        across.append(_nines(min(seen / total, MARKS[-1] / 100)))
        up.append(max(low, 1) / 1e3)
        seen += count
        if seen / total > MARKS[-1] / 100:
            break
    return across, up


def save(rows: Sequence[Row], path: Path) -> None:
    """Write the plot; the suffix, .png or .svg, says how. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    cases = list(dict.fromkeys(row.case for row in rows))
    across = min(3, len(cases))
    down = math.ceil(len(cases) / across)
    figure = Figure(figsize=(5 * across, 3.8 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for case, panel in zip(cases, panels.flat, strict=False):
        for row in rows:
            if row.case == case:
                panel.plot(*percentile_line(_merged(row.runs)), label=row.subject, linewidth=1.6)
        panel.set_title(case.label, fontsize=10)
        panel.set_yscale("log")
        panel.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("{x:g}")
        panel.set_xticks([_nines(mark / 100) for mark in MARKS], [f"{mark:g}" for mark in MARKS])
        panel.set_xlabel("percentile of deliveries")
        panel.set_ylabel("publish to receive, ms")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    for panel in list(panels.flat)[len(cases) :]:
        panel.set_axis_off()
    figure.savefig(path, dpi=120)
