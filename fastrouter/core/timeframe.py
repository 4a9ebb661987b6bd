"""Timeframes: how long a candle lasts, by name."""

from __future__ import annotations

__all__ = ["TIMEFRAMES", "parse_timeframe"]

SECOND = 1_000_000_000

TIMEFRAMES: dict[str, int] = {
    "1s": SECOND,
    "1m": 60 * SECOND,
    "5m": 5 * 60 * SECOND,
    "15m": 15 * 60 * SECOND,
    "1h": 3600 * SECOND,
    "4h": 4 * 3600 * SECOND,
    "1d": 86400 * SECOND,
}
"""Name -> nanoseconds. Each divides the UTC day, so candles align to the epoch."""


def parse_timeframe(name: str) -> int:
    """Nanoseconds of the timeframe called ``name``; ValueError names the allowed ones."""
    try:
        return TIMEFRAMES[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"timeframe {name!r} is not known; allowed: {', '.join(TIMEFRAMES)}"
        ) from None
