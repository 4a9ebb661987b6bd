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
    ours = "pyarrow" not in sys.modules
    try:
        found = sys.modules.get(name) or import_module(name)
    except ImportError as error:
        raise FeedError("replay needs pyarrow: pip install 'fastrouter[replay]'") from error
    if ours and POOL not in os.environ:
        whole = sys.modules["pyarrow"]
        # its own allocators keep for each thread what that one has used once
        whole.set_memory_pool(whole.system_memory_pool())
    return found
