"""The library, which is optional."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fastrouter.errors import ConfigError

__all__ = ["library", "refused"]


def library() -> Any:
    """``pynng``. Raises ConfigError when it is not installed."""
    try:
        return import_module("pynng")  # it has no types
    except ImportError:
        raise ConfigError("the bus needs pynng; run: pip install 'fastrouter[nng]'") from None


def refused(doing: str, address: str, error: Exception) -> ConfigError:
    """An address that NNG does not take, in our words."""
    return ConfigError(f"cannot {doing} {address}: {error}", code="ADDRESS_UNAVAILABLE")
