"""What orders came to, against the same reckoned another way."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import numpy as np
import pytest

from fastrouter.engine.equity import MOST, Equity, Point
from fastrouter.engine.report import FLAT, Filled, Held, fall, met, total_return, win_rate


def of(quantity, price, commission=0) -> Filled:
    return Filled(*(Decimal(str(number)) for number in (quantity, price, commission)))


@pytest.mark.parametrize(
    ("fills", "profits", "left"),
    [
        ([of(2, 10), of(-2, 11)], [2], 0),
        ([of(2, 10, 1), of(-2, 11, "1.5")], [-0.5], 0),
        ([of(2, 10), of(2, 12), of(-1, 20), of(-3, 8)], [0], 0),
        ([of(-3, 10), of(3, 8)], [6], 0),
        ([of(2, 10), of(-6, 11, 3), of(4, 10)], [1, 2], 0),
        ([of(2, 10), of(-3, 11, 3)], [0], -1),
        ([of(2, 10), of(1, 11)], [], 3),
        ([], [], 0),
    ],
)
def test_a_trade_is_from_flat_to_flat_or_through_zero(fills, profits, left):
    held, found = FLAT, []
    for fill in fills:
        held, profit = met(held, fill)
        found += [] if profit is None else [float(profit)]
    assert (found, held.quantity) == (profits, left)


def lots(fills: list[Filled]) -> tuple[list[float], float]:
    """The same by single units, in numpy: each unit is one of some trade."""
    counts = np.array([int(abs(one.quantity)) for one in fills])
    signs = np.repeat([np.sign(int(one.quantity)) for one in fills], counts)
    prices = np.repeat([float(one.price) for one in fills], counts)
    fees = np.repeat([float(one.commission) for one in fills] / counts, counts)
    position = np.cumsum(signs)
    ends = np.flatnonzero(position == 0) + 1
    cash = np.concatenate([[0.0], np.cumsum(-signs * prices - fees)])
    return list(np.diff(cash[np.concatenate([[0], ends])])), float(position[-1])


@pytest.mark.parametrize("seed", range(30))
def test_profits_are_those_of_single_units(seed):
    random = Random(seed)
    fills = [
        of(random.choice((-1, 1)) * random.randrange(1, 6), random.randrange(80, 120), fee)
        for fee in random.choices((0, 1, 0.5), k=random.randrange(1, 300))
    ]
    held, profits = FLAT, []
    for fill in fills:
        held, profit = met(held, fill)
        profits += [] if profit is None else [float(profit)]
    expected, left = lots(fills)
    assert profits == pytest.approx(expected, abs=1e-9)
    assert held.quantity == left


def test_nothing_is_lost_when_a_commission_is_shared():
    fill = of(-3, 10, 1)
    held, profit = met(Held(Decimal(1), Decimal(-10)), fill)
    assert profit + held.brought == Decimal(-10) + 30 - 1


def test_shares_of_nothing():
    assert win_rate(0, 0) == 0
    assert win_rate(1, 4) == 0.25
    assert total_return(Decimal(0), Decimal(5)) == 0
    assert total_return(Decimal(100), Decimal(90)) == -0.1
    assert fall(Decimal(0), Decimal(-5)) == 0
    assert fall(Decimal(10), Decimal(-5)) == Decimal("1.5")


# ------------------------------------------------------------------- equity


def walk(seed: int, count: int) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-50, 51, count)
    return np.maximum(10_000 + np.cumsum(steps), 1).astype(np.int64)


@pytest.mark.parametrize(("seed", "count"), [(1, 10), (2, 5000), (3, 20_000), (4, 100_000)])
def test_the_extremes_are_exact_however_long_it_is(seed, count):
    values = walk(seed, count)
    values[0] = 10_000
    equity = Equity(Point(0, Decimal(10_000)))
    for time, value in enumerate(values.tolist()):
        equity.add(time, Decimal(value))
    peaks = np.maximum.accumulate(values)
    falls = (peaks - values) / peaks
    assert float(equity.max_drawdown) == pytest.approx(falls.max(), abs=1e-15)
    assert equity.peak == (int(values.argmax()), int(values.max()))
    points = equity.points()
    assert len(points) <= MOST + 4
    assert all(int(values[point.time]) == point.equity for point in points)
    times = [point.time for point in points]
    assert times == sorted(set(times))
    assert points[0] == equity.first == (0, 10_000)
    assert points[-1].equity == int(values[-1])
    lowest = int(falls.argmax())
    assert {lowest, int(values[: lowest + 1].argmax())} <= set(times)


def test_few_points_are_all_kept_and_as_much_as_before_is_none():
    equity = Equity(Point(5, Decimal(10)))
    for time, value in ((6, 10), (7, 11), (8, 11), (9, 10)):
        equity.add(time, Decimal(value))
    assert equity.points() == [(5, 10), (7, 11), (9, 10)]


def test_half_of_the_points_go_when_there_are_too_many():
    equity = Equity(Point(0, Decimal(0)))
    for time in range(1, 3 * MOST):
        equity.add(time, Decimal(time))
    times = [point.time for point in equity.points()]
    assert set(np.diff(times[:-1]).tolist()) == {4}
    assert times[-1] == 3 * MOST - 1
