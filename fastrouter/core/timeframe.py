"""Candle timeframes: the names a subscription can use, and how long each is."""

from __future__ import annotations

__all__ = ["CHART_TIMEFRAMES", "TIMEFRAMES", "parse_timeframe"]

_SECOND = 1_000_000_000
_UNITS = {"s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND, "d": 86_400 * _SECOND}
_NAMES = (
    *("1s", "5s", "15s", "30s"),
    *("1m", "3m", "5m", "15m", "30m"),
    *("1h", "2h", "4h", "6h", "8h", "12h"),
    "1d",
)

#: name -> length in ns
TIMEFRAMES = {name: int(name[:-1]) * _UNITS[name[-1]] for name in _NAMES}

#: those a chart has: what a server builds from quotes
CHART_TIMEFRAMES = ("1s", "1m", "5m", "15m", "1h", "4h", "1d")


def parse_timeframe(name: str) -> int:
    """Return the length of the timeframe `name` in ns.

    Raises `ValueError`, naming the allowed ones, when there is no such timeframe.
    """
    try:
        return TIMEFRAMES[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"timeframe {name!r} is not known; allowed: {', '.join(TIMEFRAMES)}"
        ) from None
