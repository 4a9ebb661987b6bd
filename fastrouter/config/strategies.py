"""The strategies that may be run: programs of the user's, each with a table of its own."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic import model_validator as validator
from pydantic_settings import NoDecode

from fastrouter.config.section import Section
from fastrouter.config.values import KillGrace, Listed, Seconds
from fastrouter.core.leaves import symbol_valid
from fastrouter.core.timeframe import parse_timeframe
from fastrouter.errors import ConfigError
from fastrouter.session import subscriptions as grammar

__all__ = ["BUILT_IN", "ORCH", "Strategies", "Strategy", "by_our_names", "with_built_in"]

#: strategy -> what its table says that nobody has to write
BUILT_IN: dict[str, dict[str, Any]] = {
    "crossover": {
        "command": (sys.executable, "-m", "fastrouter.examples.crossover"),
        "name": "Moving Average Crossover",
        "data_resolution": "1s",
    }
}

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

_OF_ONE = re.compile(r"strategies\.[^.]+")

#: ORCH's name of what a start may say -> ours
ORCH = {
    "dataResolution": "data_resolution",
    "maxPositionValue": "max_position_value",
    "maxOrdersPerMinute": "max_orders_per_minute",
    "stopLossPercentage": "stop_loss_percentage",
    "realTrading": "real_trading",
}


def worded(value: object) -> object:
    """``"python 'my bot.py' -v"`` -> its words, as a shell would split them."""
    return shlex.split(value) if isinstance(value, str) else value


class Strategy(Section):
    """A program that the orchestrator runs; ORCH's names of settings do, too."""

    command: Annotated[tuple[str, ...], NoDecode, BeforeValidator(worded)] = Field(
        min_length=1, description="a program and its arguments: an array, or text as for a shell"
    )
    name: str | None = Field(default=None, min_length=1, description="a title for people")
    symbols: Listed = Field(
        default=(), description="symbols, comma separated, as S:AAPL,C:BTCUSD; default: all"
    )
    subscriptions: str | None = Field(
        default=None,
        description="SYMBOL:EVENT_TYPE items, comma separated; default: candle and quote of "
        "its symbols",
    )
    data_resolution: str | None = Field(
        default=None, description="of its candles, 1s to 1d; default: that of the server"
    )
    environment: dict[str, SecretStr] = Field(
        default_factory=dict, description="variables of its environment, each a text in quotes"
    )
    autostart: bool = Field(default=False, description="true (it starts with us) or false")
    max_restarts: int = Field(
        default=5, ge=0, description="0 or more: how often it is started again within the window"
    )
    restart_seconds: Seconds = Field(
        default=1.0, description="seconds above 0 until it is started again after a crash; twice "
        "as long after each one more in the window",
    )  # fmt: skip
    restart_longest_seconds: Seconds = Field(
        default=60.0, description="seconds, its restart_seconds or above"
    )
    restart_window_seconds: Seconds = Field(
        default=600.0, description="seconds above 0 in which max_restarts are counted"
    )
    grace_seconds: KillGrace = 5.0
    nice: int = Field(
        default=5, ge=0, le=19,
        description="0 to 19: how far it lets the router have a CPU first that both want",
    )  # fmt: skip
    max_position_value: float | None = Field(
        default=None, gt=0, le=1e12, description="a number above 0, up to 10^12, for each symbol"
    )
    max_orders_per_minute: int | None = Field(default=None, ge=1, description="a number from 1")
    stop_loss_percentage: float | None = Field(
        default=None, gt=0, le=1, description="a number above 0, at most 1 (0.02 is 2 %)"
    )
    real_trading: bool = Field(
        default=False,
        description="true (its orders are taken on a live account, too) or false; "
        "orders that are no strategy's are not held to it",
    )

    @validator(mode="before")
    @classmethod
    def _by_the_names_of_orch(cls, table: Any) -> Any:
        if not isinstance(table, Mapping):
            return table
        return {ORCH.get(name, name): value for name, value in table.items()}

    @field_validator("command")
    @classmethod
    def _command_is_one(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if not command[0] or any("\0" in word for word in command):
            raise ValueError("no such program can be")
        return command

    @field_validator("symbols")
    @classmethod
    def _symbols_are_symbols(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if not symbol_valid(symbol):
                raise ValueError(f"{symbol!r} is no symbol")
        return tuple(dict.fromkeys(symbols))

    @field_validator("subscriptions")
    @classmethod
    def _subscriptions_parse(cls, text: str | None) -> str | None:
        if text is not None:
            grammar.parse(text)
        return text

    @field_validator("data_resolution")
    @classmethod
    def _timeframe_exists(cls, name: str | None) -> str | None:
        if name is not None:
            parse_timeframe(name)
        return name

    @field_validator("environment")
    @classmethod
    def _variables_can_be(cls, environment: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in environment.items():
            if not name or "=" in name or "\0" in name or "\0" in value.get_secret_value():
                raise ValueError(f"{name!r} cannot be a variable")
        return environment

    @field_validator("restart_longest_seconds")
    @classmethod
    def _longest_is_no_shorter(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("restart_seconds", 0.0):
            raise ValueError("it is below restart_seconds")
        return longest


def with_built_in(tables: object) -> object:
    """The tables, and those that are there unless configured otherwise. Raises ValueError."""
    if not isinstance(tables, Mapping):
        return tables
    for name in tables:
        if not _ID.fullmatch(name):
            raise ValueError(f"a strategy is called {name!r}; allowed: 1 to 64 of A-Z a-z 0-9 _ -")
    found = dict(tables)
    for name, table in BUILT_IN.items():
        own = found.get(name, {})
        found[name] = _over(table, own) if isinstance(own, Mapping) else own
    return found


def _over(table: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The one, and what the other says by whichever name."""
    said = {ORCH.get(name, name) for name in own}
    return {**{name: value for name, value in table.items() if name not in said}, **own}


def by_our_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """One source's keys and values, keys of ORCH by our names. Raises ConfigError for both."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        ours = f"{section}.{ORCH[name]}" if name in ORCH and _OF_ONE.fullmatch(section) else key
        if ours in values and ours != key:
            raise ConfigError(f"{key} and {ours} are the same setting; allowed: one of them")
        found[ours] = value
    return found


Strategies = Annotated[dict[str, Strategy], BeforeValidator(with_built_in)]
