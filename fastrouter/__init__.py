"""fastrouter: one market-data feed to thousands of WebSocket sessions, encoded once.

What a program embeds stands here; nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastrouter.client import connect
    from fastrouter.client.publishing import publish_events
    from fastrouter.client.trading import trading
    from fastrouter.core.dtypes import CANDLE_DTYPE, QUOTE_DTYPE
    from fastrouter.core.event import Candle, Event, Quote
    from fastrouter.embed import Router
    from fastrouter.errors import FastrouterError

__all__ = [  # noqa: RUF022 -- grouped for readers
    # events
    "Quote",
    "Candle",
    "Event",
    "QUOTE_DTYPE",
    "CANDLE_DTYPE",
    # server
    "Router",
    # client
    "connect",
    "publish_events",
    "trading",
    # errors
    "FastrouterError",
    "__version__",
]  # fmt: skip

__version__ = "0.1.0"

_HOMES = {
    "Quote": "fastrouter.core.event",
    "Candle": "fastrouter.core.event",
    "Event": "fastrouter.core.event",
    "QUOTE_DTYPE": "fastrouter.core.dtypes",
    "CANDLE_DTYPE": "fastrouter.core.dtypes",
    "Router": "fastrouter.embed",
    "connect": "fastrouter.client",
    "publish_events": "fastrouter.client.publishing",
    "trading": "fastrouter.client.trading",
    "FastrouterError": "fastrouter.errors",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
