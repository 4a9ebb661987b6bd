"""What a suite aims for: data beside its benches, judged at the end of a run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .summary import Verdict

Figures = Mapping[str, float]
"""ns an item by the name of the bench, without ``test_``."""


@dataclass(frozen=True)
class Aim:
    """``value`` of the figures is at most ``at_most``: ns, or a ratio of two of them."""

    what: str
    at_most: float
    value: Callable[[Figures], float]


def ns(name: str) -> Callable[[Figures], float]:
    """What one bench found."""
    return lambda figures: figures[name]


def ratio(name: str, base: str) -> Callable[[Figures], float]:
    """What one bench found over what another of the same run did."""
    return lambda figures: figures[name] / figures[base]


def slope(many: str, one: str, more: int) -> Callable[[Figures], float]:
    """What each of ``more`` more cost."""
    return lambda figures: (figures[many] - figures[one]) / more


def judge(aims: Iterable[Aim], figures: Figures) -> list[Verdict]:
    """Those aims whose benches ran."""
    found = []
    for aim in aims:
        try:
            value = aim.value(figures)
        except KeyError:
            continue
        text = f"{aim.what} <= {aim.at_most:.4g}"
        found.append(Verdict(text, f"{value:.3g}", value <= aim.at_most))
    return found
