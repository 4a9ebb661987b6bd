"""TA-Lib's figures against their definitions in plain numpy."""

from __future__ import annotations

import importlib
import logging
import sys

import numpy as np
import pytest

from fastrouter.dialects import indicators as module
from fastrouter.dialects.indicators import Indicators, indicators

pytest.importorskip("talib")


def walk(count, seed=1):
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, count)))


def ema(values, period):
    """Exponential mean that begins with the mean of the first `period` values."""
    mean = values[:period].mean()
    found = [mean]
    for value in values[period:]:
        mean += (value - mean) * 2 / (period + 1)
        found.append(mean)
    return np.array(found)


def macd(closes):
    """Both means begin at the 26th close, the fast one with the 12 closes before it."""
    fast = ema(closes[26 - 12 :], 12)
    line = fast - ema(closes, 26)
    return line[-1], ema(line, 9)[-1]


def rsi(closes, period=14):
    """Wilder's: means that move by a 14th of what is new."""
    moves = np.diff(closes)
    gains, losses = np.maximum(moves, 0), np.maximum(-moves, 0)
    gain, loss = gains[:period].mean(), losses[:period].mean()
    for up, down in zip(gains[period:], losses[period:], strict=True):
        gain += (up - gain) / period
        loss += (down - loss) / period
    return 100 * gain / (gain + loss)


def bands(closes):
    last = closes[-20:]
    middle, width = last.mean(), 2 * last.std()
    return middle + width, middle, middle - width


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [34, 35, 60, 250])
def test_they_are_what_their_definitions_say(count, seed):
    closes = walk(count, seed)
    expected = Indicators(rsi(closes), *macd(closes), *bands(closes))
    assert indicators(closes) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("count", "known"),
    [
        (0, ()),
        (1, ()),
        (14, ()),
        (15, ("rsi",)),
        (19, ("rsi",)),
        (20, ("rsi", "bollinger_upper", "bollinger_middle", "bollinger_lower")),
        (33, ("rsi", "bollinger_upper", "bollinger_middle", "bollinger_lower")),
        (34, Indicators._fields),
    ],
)
def test_what_the_history_is_too_short_for_is_none(count, known):
    found = indicators(walk(count))._asdict()
    assert {name for name, value in found.items() if value is not None} == set(known)


def test_closes_that_do_not_move():
    found = indicators(np.full(50, 7.0))
    assert found[1:] == pytest.approx((0, 0, 7, 7, 7))


def test_what_overflows_is_none():
    found = indicators(np.array([1e308, -1e308] * 30))
    assert all(value is None or np.isfinite(value) for value in found)


def test_plain_floats_that_json_can_say():
    assert {type(value) for value in indicators(walk(50))} == {float}


def test_without_talib_there_are_none_and_it_is_said_once(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "talib", None)
    try:
        with caplog.at_level(logging.WARNING):
            without = importlib.reload(module)
            assert without.indicators(walk(50)) == (None,) * 6
            assert without.indicators(walk(60)) == (None,) * 6
        assert len(caplog.messages) == 1
        assert "pip install 'fastrouter[indicators]'" in caplog.text
    finally:
        monkeypatch.undo()
        importlib.reload(module)
    assert module.indicators(walk(50)).rsi is not None
