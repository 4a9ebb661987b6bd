"""What a strategy's process finds in its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastrouter.control.strategies.spec import Spec

__all__ = ["Place", "environment", "subscriptions"]


VARIABLE = "SUBSCRIPTIONS"


class Place(NamedTuple):
    """Where we are, as strategies reach us; URLs without a query, `rest` without a path."""

    websocket: str
    rest: str | None
    inherited: Mapping[str, str]  # of our own environment, none of our secrets


def environment(
    spec: Spec, config: Mapping[str, Any], place: Place, token: str | None = None
) -> dict[str, str]:
    """All of it; what is configured wins. `token` is what we let its process in by."""
    there = {
        "STRATEGY_ID": spec.id,
        "STRATEGY_SYMBOLS": ",".join(config["symbols"]),
        "STRATEGY_CONFIG": json.dumps(dict(config)),
        VARIABLE: subscriptions(spec, config),
        "PROXY_WS_URL": f"{place.websocket}?strategy_id={spec.id}",
        "PYTHONUNBUFFERED": "1",  # what it prints is in the log before it crashes
    }
    if place.rest is not None:
        there["PROXY_REST_URL"] = f"{place.rest}/v1/strategies/{spec.id}"
    if token is not None:
        there["PROXY_TOKEN"] = token
    return {**place.inherited, **there, **spec.environment}


def subscriptions(spec: Spec, config: Mapping[str, Any]) -> str:
    """What it is told to subscribe to, and its sessions get that name nothing.

    Quotes and candles of its symbols; what is configured, unless it was started otherwise. What
    its environment is to say wins.
    """
    if VARIABLE in spec.environment:
        return spec.environment[VARIABLE]
    symbols, resolution = config["symbols"], config.get("dataResolution")
    as_configured = resolution == spec.config.get("dataResolution")
    if spec.subscriptions is not None and as_configured and symbols == [*spec.symbols]:
        return spec.subscriptions
    candle = "candle" if resolution is None else f"candle@{resolution}"
    patterns = [pattern for symbol in symbols or ["*"] for pattern in _patterns(symbol)]
    return ",".join(f"{pattern}:quote,{pattern}:{candle}" for pattern in patterns)


def _patterns(symbol: str) -> tuple[str, ...]:
    """One that nobody knew yet may turn out to have a prefix."""
    return (symbol,) if ":" in symbol or symbol == "*" else (symbol, f"*:{symbol}")
