"""Indicators of a chart: RSI 14, MACD 12/26/9, Bollinger bands 20/2, by TA-Lib.

Without TA-Lib there are none, which is logged once, when this is imported.
"""

from __future__ import annotations

import logging
import math
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Indicators", "indicators"]

logger = logging.getLogger(__name__)

talib: Any = None
try:
    talib = import_module("talib")
except ImportError:
    logger.warning("charts have no indicators without TA-Lib: pip install 'fastrouter[indicators]'")


class Indicators(NamedTuple):
    """Of the last close; None for what needs more closes than there are."""

    #: relative strength, 0 to 100; from 15 closes on
    rsi: float | None = None
    #: in the unit of the price, as all that follow; from 34 closes on
    macd: float | None = None
    macd_signal: float | None = None
    #: two standard deviations of the last 20 closes above their mean
    bollinger_upper: float | None = None
    bollinger_middle: float | None = None
    bollinger_lower: float | None = None


NONE = Indicators()


def indicators(closes: npt.NDArray[np.float64]) -> Indicators:
    """The indicators after the last of `closes`, the oldest first."""
    if talib is None or not len(closes):
        return NONE
    macd, signal, _ = talib.MACD(closes, fastperiod=12, slowperiod=26, signalperiod=9)
    bands = talib.BBANDS(closes, timeperiod=20, nbdevup=2, nbdevdn=2, matype=0)
    lines = (talib.RSI(closes, timeperiod=14), macd, signal, *bands)
    return Indicators(*(_number(line[-1]) for line in lines))


def _number(value: float) -> float | None:
    """None for NaN, and for what overflowed."""
    return float(value) if math.isfinite(value) else None
