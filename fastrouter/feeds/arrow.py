"""pyarrow, imported when it is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

from ..errors import FeedError

__all__ = ["arrow"]

POOL = "ARROW_DEFAULT_MEMORY_POOL"
"""Says which allocator pyarrow has, if the environment says it; else it is the C library's."""


def arrow(part: str = "") -> Any:
    """``pyarrow``, or a part of it (``compute``, ``csv``, ``parquet``). Raises FeedError."""
    name = f"pyarrow.{part}" if part else "pyarrow"
    try:
        if "pyarrow" not in sys.modules:
            _begin()
        return sys.modules.get(name) or import_module(name)
    except ImportError as error:
        raise FeedError("replay needs pyarrow: pip install 'fastrouter[replay]'") from error


def _begin() -> None:
    """Import it, with the C library's allocator: its own keep what each thread has used once.

    It is told by the environment alone, which is read when it is first asked.
    """
    ours = POOL not in os.environ
    if ours:
        os.environ[POOL] = "system"
    try:
        import_module("pyarrow").default_memory_pool()
    finally:
        if ours:
            os.environ.pop(POOL, None)
