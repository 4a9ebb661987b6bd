"""The example strategy: its averages against numpy, and its trades against the same computed."""

import json
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fastrouter.examples.crossover import Crossover

from .vectorised import SCALE, Expected, expected, read, scaled

COMMAND = [sys.executable, "-W", "error", "-m"]
STRATEGY = ["--", *COMMAND, "fastrouter.examples.crossover"]
START = 1_640_991_660_000  # ms: the last minute but one of a year


def walk(path: Path, count: int, seed: int, start: float = 46_000.0) -> tuple[list[str], list[str]]:
    """One-minute bars of a random walk, some minutes missing; their opens and closes."""
    chance = random.Random(seed)
    last, time = start, START
    opens, closes = [], []
    with path.open("w") as file:
        file.write("timestamp,open,high,low,close,volume\n")
        for _ in range(count):
            first = last + chance.choice((0, 0, 0, 0.5))
            last = max(1.0, first + round(chance.gauss(0, 20) * 2) / 2)
            row = (first, max(first, last), min(first, last), last)
            file.write(f"{time},{','.join(map(str, row))},10\n")
            opens.append(str(first))
            closes.append(str(last))
            time += 60_000 * chance.choice((1,) * 200 + (7,))
    return opens, closes


def run(*arguments: str, timeout: float = 110, **environment: str) -> dict:
    """The command's result, which is all that is on its standard output."""
    done = subprocess.run(
        [*COMMAND, "fastrouter.cli", "backtest", *arguments],
        capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(result: dict, wanted: Expected) -> None:
    """The whole of a report equals what was computed."""
    report = result["report"]
    assert report["total_trades"] == wanted.total_trades
    assert report["final_equity"] == wanted.final_equity
    assert report["win_rate"] == pytest.approx(wanted.win_rate, rel=1e-14)
    assert report["total_return"] == pytest.approx(wanted.total_return, rel=1e-14)
    assert report["max_drawdown"] == pytest.approx(wanted.max_drawdown, rel=1e-14)
    assert result["error"] is None


@pytest.mark.parametrize("seed", range(5))
def test_averages_cross_where_numpy_says(seed):
    chance = random.Random(seed)
    fast = chance.randint(1, 10)
    slow = fast + chance.randint(1, 10)
    closes = [chance.choice((1.1, 1.2, 1.3, 1.35)) for _ in range(500)]  # ties are common
    crossover = Crossover(fast, slow)
    actions = [crossover.add(close) for close in closes]
    cells = scaled([str(close) for close in closes])
    means = [
        np.convolve(cells, np.ones(n, np.int64))[slow - 1 : len(cells)] * other
        for n, other in ((fast, slow), (slow, fast))
    ]
    above = means[0] > means[1]
    crossed = [
        None if now == before else "BUY" if now else "SELL" for before, now in pairwise(above)
    ]
    assert actions == [None] * slow + crossed


def test_45000_bars_come_to_what_is_computed_at_once(tmp_path):
    file = tmp_path / "walk.csv"
    opens, closes = walk(file, 45_000, seed=1)
    wanted = expected(scaled(opens), scaled(closes), fast=20, slow=120)
    assert wanted.total_trades > 100
    result = run(str(file), "--symbol", "C:BTCUSD", "--timeframe", "1m", "--json", *STRATEGY,
                 "--fast", "20", "--slow", "120")  # fmt: skip
    check(result, wanted)
    assert result["instants"] == 45_000
    assert result["bad_rows"] == 0


def test_parameters_come_from_the_configuration_and_cost_is_counted(tmp_path):
    """STRATEGY_CONFIG as the orchestrator gives it; commissions, another account, two units."""
    file = tmp_path / "walk.csv"
    opens, closes = walk(file, 2_000, seed=2, start=100.0)
    wanted = expected(scaled(opens), scaled(closes), fast=3, slow=8, units=2, cash=5_000,
                      per_order=1)  # fmt: skip
    assert 0 < wanted.win_rate < 1
    result = run(
        str(file), "--symbol", "S:X", "--timeframe", "1m", "--json", "--cash", "5000",
        "--commission", "per_order:1", *STRATEGY,
        STRATEGY_CONFIG=json.dumps({"fast": 3, "slow": 8, "qty": 2, "dataResolution": "1m"}),
    )  # fmt: skip
    check(result, wanted)
    assert result["orders"] in (2 * wanted.total_trades, 2 * wanted.total_trades + 1)


def test_the_computation_itself_by_hand(tmp_path):
    """fast 1, slow 2: bought at 3, sold at 4 for a profit; bought at 5, and held."""
    file = tmp_path / "bars.csv"
    bars = [(5, 5), (5, 4), (4, 6), (3, 3), (4, 2), (2, 7), (5, 6.5)]
    file.write_text("open,close\n" + "".join(f"{first},{last}\n" for first, last in bars))
    found = expected(*read(file), fast=1, slow=2, cash=10)
    #           the bar's close:  5   4   6   3   2   7   6.5
    assert (found.equity / SCALE).tolist() == [10, 10, 10, 10, 11, 11, 12.5]
    assert (found.total_trades, found.win_rate, found.signals) == (1, 1.0, 4)
    assert found.max_drawdown == 0


@pytest.mark.parametrize("lengths", [("0", "5"), ("5", "5"), ("6", "5")])
def test_lengths_that_are_none(lengths):
    done = subprocess.run(
        [*STRATEGY[1:], "--fast", lengths[0], "--slow", lengths[1]], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "allowed: 0 < fast < slow" in done.stderr
