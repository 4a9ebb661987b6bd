"""The rows of `publish_batch`: packed numpy structured types.

Times are nanoseconds since the epoch, UTC; a candle's time is its open. Texts are
UTF-8, padded with NUL. The layout is what compiled code reads through a packed C
struct, so a changed field here is a changed struct there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CANDLE_DTYPE", "QUOTE_DTYPE", "SYMBOL_SIZE", "TIMEFRAME_SIZE", "Rows"]

SYMBOL_SIZE = 32
"""Longest symbol, in bytes."""

TIMEFRAME_SIZE = 8
"""Longest timeframe name, in bytes."""

Rows = npt.NDArray[np.void]
"""An array of QUOTE_DTYPE or CANDLE_DTYPE."""

QUOTE_DTYPE: np.dtype[Any] = np.dtype(
    [
        ("symbol", f"S{SYMBOL_SIZE}"),
        ("time", "<i8"),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("last", "<f8"),
        ("bid_size", "<f8"),
        ("ask_size", "<f8"),
    ]
)

CANDLE_DTYPE: np.dtype[Any] = np.dtype(
    [
        ("symbol", f"S{SYMBOL_SIZE}"),
        ("timeframe", f"S{TIMEFRAME_SIZE}"),
        ("time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("volume", "<f8"),
        ("closed", "?"),
    ]
)
