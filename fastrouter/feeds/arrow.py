"""pyarrow, imported when it is used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from ..errors import FeedError

__all__ = ["arrow"]


def arrow(part: str = "") -> Any:
    """``pyarrow``, or a part of it (``compute``, ``csv``, ``parquet``). Raises FeedError."""
    name = f"pyarrow.{part}" if part else "pyarrow"
    try:
        return sys.modules.get(name) or import_module(name)
    except ImportError as error:
        raise FeedError("replay needs pyarrow: pip install 'fastrouter[replay]'") from error
