"""A page that needs nothing else: figures, and two panels of SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

import numpy as np

from fastrouter.app.backtesting.curve import Curve

__all__ = ["page"]

WIDTH, LEFT, RIGHT = 960, 70, 50  # px
TICKS = 5  # about

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 14px system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
svg {{ width: 100%; height: auto; font-size: 11px }}
text {{ fill: #555 }} .grid {{ stroke: #ddd }}
.equity {{ fill: none; stroke: #1565c0; stroke-width: 1.3 }}
.fall {{ fill: #e57373; fill-opacity: .5; stroke: none }}
td {{ padding: .1rem 1.5rem .1rem 0 }}
</style>
<h1>{title}</h1>
<table>
{rows}
</table>
{panels}
</html>
"""


class Panel(NamedTuple):
    """A drawing over time: its height, px, and its class, as the style has it."""

    name: str
    kind: str
    height: int
    unit: str


EQUITY = Panel("equity", "equity", 320, "")
FALL = Panel("below peak", "fall", 130, " %")


def page(title: str, figures: Mapping[str, str], curve: Curve) -> str:
    """HTML; `figures` are names and values."""
    rows = "\n".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, value in figures.items()
    )
    panels = _panel(EQUITY, curve.times, curve.equity) + _panel(FALL, curve.times, curve.fall)
    return PAGE.format(title=escape(title), rows=rows, panels=panels)


def _panel(panel: Panel, times: Sequence[float], values: Sequence[float]) -> str:
    top, bottom = 10, panel.height - 24
    across = _scale(times[0], times[-1], LEFT, WIDTH - RIGHT)
    low, high = _range(values)
    up = _scale(low, high, bottom, top)
    lines = []
    for value in _round_numbers(low, high):
        y = f"{up(value):.1f}"
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(
            f'<text x="{LEFT - 6}" y="{y}" text-anchor="end" dominant-baseline="middle">'
            f"{value:,.10g}{panel.unit}</text>"
        )
    lines += [
        f'<text x="{across(time):.1f}" y="{panel.height - 6}" text-anchor="middle">'
        f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}</text>"
        for time in np.linspace(times[0], times[-1], TICKS)
    ]
    steps = _steps([across(time) for time in times], [up(value) for value in values])
    if panel is FALL:
        steps += f"V{up(0.0):.1f}H{LEFT}Z"
    return (
        f'<svg viewBox="0 0 {WIDTH} {panel.height}" role="img" aria-label="{panel.name}">\n'
        + "\n".join(lines)
        + f'\n<path class="{panel.kind}" d="{steps}"/>\n</svg>\n'
    )


def _steps(across: Sequence[float], up: Sequence[float]) -> str:
    """A path on which each value holds until the next."""
    path = f"M{across[0]:.1f} {up[0]:.1f}"
    return path + "".join(f"H{x:.1f}V{y:.1f}" for x, y in zip(across[1:], up[1:], strict=True))


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:  # a line in the middle, or at the top where nothing fell
        low, high = (low - 1, high + 1) if high else (-1.0, 0.0)
    return low, high


def _round_numbers(low: float, high: float) -> list[float]:
    """Some between the two, as far apart as 1, 2 or 5 times a power of ten."""
    least = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= least)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    """From what is shown to px."""
    span = high - low

    def at(value: float) -> float:
        return first + (last - first) * ((value - low) / span if span else 0.0)

    return at
