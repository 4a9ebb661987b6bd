"""The rows of `Router.publish_batch`: packed numpy structured types."""

from __future__ import annotations

import numpy as np

__all__ = ["CANDLE_DTYPE", "QUOTE_DTYPE"]

#: `time` in ns since the epoch, 0 = stamped by the router; symbols of up to 32 bytes, NUL-padded
QUOTE_DTYPE = np.dtype(
    [
        ("symbol", "S32"),
        ("time", "<i8"),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("last", "<f8"),
        ("bid_size", "<f8"),
        ("ask_size", "<f8"),
    ]
)

#: `time` is when the candle opened, ns since the epoch
CANDLE_DTYPE = np.dtype(
    [
        ("symbol", "S32"),
        ("timeframe", "S8"),
        ("time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("volume", "<f8"),
        ("closed", "?"),
    ]
)
