"""Rounds to medians, ratios and verdicts."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .measure import COALESCED, FASTROUTER, ONE_SEND, Case, Run

AIM_SESSIONS = 1000  # the aims are for this many


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest over the rounds."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        known = list(values)
        return cls(statistics.median(known), min(known), max(known))


@dataclass(frozen=True)
class Row:
    """One subject in one case, over all rounds."""

    case: Case
    subject: str
    runs: list[Run]
    rate: Spread
    p50: Spread
    p99: Spread
    p99_due: Spread
    cpu_per_million: Spread
    server_cpu: Spread
    generator_cpu: Spread
    others_cpu: Spread
    to_one_send: float | None
    to_coalesced: float | None
    p99_to_coalesced: float | None
    p99_due_to_coalesced: float | None
    faults: dict[str, int]

    @property
    def generator_bound(self) -> bool:
        return self.generator_cpu.median > 0.9

    @property
    def disturbed(self) -> bool:
        return self.others_cpu.max > 0.2


def _ratio(runs: Sequence[Run], base: Sequence[Run], value: Callable[[Run], float]) -> float | None:
    """Median of the ratios of each round: what the machine did to one it did to the other."""
    pairs = list(zip(runs, base, strict=False))
    if not pairs or any(value(below) <= 0 for _, below in pairs):
        return None
    return statistics.median(value(run) / value(below) for run, below in pairs)


def _faults(runs: Iterable[Run]) -> dict[str, int]:
    total: dict[str, int] = {}
    for run in runs:
        for name, count in run.faults.items():
            total[name] = total.get(name, 0) + count
    return total


def _row(case: Case, subject: str, table: dict[str, list[Run]]) -> Row:
    runs = table[subject]
    coalesced = table.get(COALESCED, [])
    return Row(
        case=case,
        subject=subject,
        runs=runs,
        rate=Spread.of(run.rate for run in runs),
        p50=Spread.of(run.latency.p50 for run in runs),
        p99=Spread.of(run.latency.p99 for run in runs),
        p99_due=Spread.of(run.latency_due.p99 for run in runs),
        cpu_per_million=Spread.of(run.cpu_per_million for run in runs),
        server_cpu=Spread.of(run.server_cpu for run in runs),
        generator_cpu=Spread.of(run.generator_cpu for run in runs),
        others_cpu=Spread.of(run.others_cpu for run in runs),
        to_one_send=_ratio(runs, table.get(ONE_SEND, []), lambda run: run.rate),
        to_coalesced=_ratio(runs, coalesced, lambda run: run.rate),
        p99_to_coalesced=_ratio(runs, coalesced, lambda run: run.latency.p99),
        p99_due_to_coalesced=_ratio(runs, coalesced, lambda run: run.latency_due.p99),
        faults=_faults(runs),
    )


def summarize(runs: Iterable[Run]) -> list[Row]:
    """One row for each case and subject, in the order they were first run."""
    cases: dict[Case, dict[str, list[Run]]] = {}
    for run in runs:
        cases.setdefault(run.case, {}).setdefault(run.subject, []).append(run)
    return [_row(case, subject, table) for case, table in cases.items() for subject in table]


@dataclass(frozen=True)
class Verdict:
    """One aim and what was measured."""

    aim: str
    measured: str
    holds: bool


def _at_least(case: Case, what: str, value: float | None, bound: float) -> list[Verdict]:
    if value is None:
        return []
    aim = f"{case.label}: {what} >= {bound:g}"
    return [Verdict(aim, f"{value:.2f}", value >= bound)]


def _at_most(case: Case, what: str, value: float | None, bound: float) -> list[Verdict]:
    if value is None:
        return []
    aim = f"{case.label}: {what} <= {bound:g}"
    return [Verdict(aim, f"{value:.2f}", value <= bound)]


def _broadcast_aims(row: Row) -> list[Verdict]:
    return [
        *_at_least(row.case, "times the one-send floor", row.to_one_send, 25),
        *_at_least(row.case, "of the coalesced floor", row.to_coalesced, 0.7),
        *_at_most(row.case, "p99 to the coalesced floor", row.p99_to_coalesced, 1.0),
    ]


def _paced_aims(row: Row) -> list[Verdict]:
    pace = row.rate.median / row.case.wanted
    return [
        *_at_most(row.case, "p99 to the coalesced floor", row.p99_to_coalesced, 1.25),
        *_at_most(row.case, "p99 since due, likewise", row.p99_due_to_coalesced, 1.25),
        *_at_least(row.case, "of the deliveries a second asked for", pace, 0.98),
    ]


def verdicts(rows: Iterable[Row]) -> list[Verdict]:
    """The aims of fastrouter that these rows can judge."""
    found: list[Verdict] = []
    for row in rows:
        if row.subject != FASTROUTER:
            continue
        if row.case.sessions == AIM_SESSIONS:
            found += _paced_aims(row) if row.case.rate else _broadcast_aims(row)
        lost = ", ".join(f"{name} {count}" for name, count in row.faults.items())
        found.append(Verdict(f"{row.case.label}: nothing lost", lost or "all", not row.faults))
    return found
