"""An equity curve as a file: .png and .svg by matplotlib, .html by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from fastrouter.app.backtesting.curve import Curve, curve_of
from fastrouter.app.backtesting.page import page
from fastrouter.engine.equity import Point
from fastrouter.errors import ConfigError

__all__ = ["check_plot", "save_plot"]

IN_THE_TITLE = ("trades", "equity", "largest fall")

Figures = Mapping[str, str]


def check_plot(path: Path) -> None:
    """Raises ConfigError for a file that `save_plot` could not make."""
    if path.suffix not in WRITERS:
        raise ConfigError(f"--plot {path}: allowed: a name that ends with {', '.join(WRITERS)}")
    if WRITERS[path.suffix] is _by_matplotlib and find_spec("matplotlib") is None:
        raise ConfigError(
            f"--plot {path} needs matplotlib; run: pip install 'fastrouter[plot]', "
            "or name a .html file"
        )
    if path.is_dir():
        raise ConfigError(f"--plot {path}: is a folder; allowed: a file")
    if not path.parent.is_dir():
        raise ConfigError(f"--plot {path}: there is no folder {path.parent}")


def save_plot(path: Path, title: str, figures: Figures, points: Sequence[Point]) -> None:
    """`figures` are shown beside it: names and values. Raises OSError."""
    WRITERS[path.suffix](path, title, figures, curve_of(points))


def _by_itself(path: Path, title: str, figures: Figures, curve: Curve) -> None:
    path.write_text(page(title, figures, curve), encoding="utf-8")


def _by_matplotlib(path: Path, title: str, figures: Figures, curve: Curve) -> None:
    from matplotlib.figure import Figure

    times = [datetime.fromtimestamp(time, UTC) for time in curve.times]
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.step(times, curve.equity, where="post", linewidth=1.2)
    words = "   ".join(f"{name} {figures[name]}" for name in IN_THE_TITLE if name in figures)
    above.set_title(f"{title}\n{words}", loc="left", fontsize=10, parse_math=False)
    above.set_ylabel("equity")
    below.fill_between(times, curve.fall, step="post", alpha=0.4, color="tab:red")
    below.set_ylabel("below peak, %")
    for panel in (above, below):
        panel.grid(alpha=0.3)
        panel.yaxis.set_major_formatter("{x:,.10g}")
    figure.autofmt_xdate()
    figure.savefig(path, dpi=120)


WRITERS: dict[str, Callable[[Path, str, Figures, Curve], None]] = {
    ".png": _by_matplotlib,
    ".svg": _by_matplotlib,
    ".html": _by_itself,
}
