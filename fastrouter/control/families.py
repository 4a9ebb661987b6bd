"""Families of Prometheus metrics, ours by their prefix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from fastrouter.core.counters import Histogram

__all__ = ["MICROSECOND", "counter", "counters", "gauge", "gauges", "histogram"]

MICROSECOND = 1e-6


def gauge(name: str, text: str, value: float) -> Metric:
    """What goes up and down."""
    return GaugeMetricFamily(f"fastrouter_{name}", text, value=value)


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """One for each key."""
    family = GaugeMetricFamily(f"fastrouter_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def counter(name: str, text: str, value: int) -> Metric:
    """What only goes up; ``_total`` is added to its name."""
    return CounterMetricFamily(f"fastrouter_{name}", text, value=value)


def counters(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    """One for each key."""
    family = CounterMetricFamily(f"fastrouter_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def histogram(
    name: str, text: str, counts: Sequence[int], unit: float, total: float | None = None
) -> Metric:
    """Of values in `unit`, counted by their bits; the last bucket is all above."""
    buckets, so_far = [], 0
    for bits, count in enumerate(counts):
        so_far += count
        above = bits == len(counts) - 1
        bound = "+Inf" if above else f"{Histogram.largest(bits) * unit:.9g}"
        buckets.append((bound, float(so_far)))
    family = HistogramMetricFamily(f"fastrouter_{name}", text)
    family.add_metric([], buckets or [("+Inf", 0.0)], total)
    return family
