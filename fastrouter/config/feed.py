"""Where events come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from fastrouter.config.section import Section
from fastrouter.config.values import Listed, OrMax, Seconds, counted, mapped
from fastrouter.core.timeframe import CHART_TIMEFRAMES, parse_timeframe
from fastrouter.errors import MessageError
from fastrouter.feeds import FEEDS
from fastrouter.session.query import parse_conflate

__all__ = ["Feed", "Nng", "Replay", "Synthetic", "Upstream"]


class Synthetic(Section):
    """A made-up market."""

    symbols: Annotated[
        Annotated[int, Field(ge=1)] | tuple[str, ...], NoDecode, BeforeValidator(counted)
    ] = Field(default=20, description="how many, from 1, or their names")
    rate: OrMax = Field(default=1000.0, description='quotes a second, above 0, or "max"')
    seed: int = Field(default=1, ge=0, description="a number from 0")

    @field_validator("symbols")
    @classmethod
    def _there_are_some(cls, symbols: int | tuple[str, ...]) -> int | tuple[str, ...]:
        if not symbols:
            raise ValueError("there is none")
        return symbols


class Replay(Section):
    """A file of quotes or bars."""

    file: Path | None = Field(default=None, description="a CSV or Parquet file")
    kind: Literal["auto", "quotes", "bars"] = Field(
        default="auto", description='"quotes", "bars" or "auto" (by the columns)'
    )
    symbol: str | None = Field(default=None, description="the symbol of a file that names none")
    timeframe: str | None = Field(
        default=None, description="of bars in a file that does not say: 1s to 1d"
    )
    columns: Annotated[dict[str, str | int], NoDecode, BeforeValidator(mapped)] = Field(
        default_factory=dict, description='FIELD=COLUMN items by name or index, as "time=0,bid=1"'
    )
    speed: OrMax = Field(default=1.0, description='times the original pace, above 0, or "max"')
    loop: bool = Field(default=False, description="true or false")
    strict: bool = Field(default=False, description="true (a bad row ends the feed) or false")


class Upstream(Section):
    """Another server, whose stream is relayed."""

    subscriptions: str | None = Field(
        default=None,
        description="what to ask for, comma separated, as S:AAPL:quote,C:*:candle@5m; all if unset",
    )
    token: SecretStr | None = Field(default=None, description="a bearer token, in quotes")
    conflate: str | None = Field(
        default=None, description="at most one quote per symbol and interval, as 250ms"
    )
    cafile: Path | None = Field(
        default=None, description="a PEM file of the only authorities to trust, for wss://"
    )
    idle_seconds: Seconds = Field(
        default=20.0,
        description="seconds above 0 of silence after which it is given up and tried again; "
        "after half of that it is asked for a sign of life",
    )
    reconnect_seconds: Seconds = Field(
        default=1.0, description="seconds above 0: the shortest wait before it is tried again"
    )
    reconnect_longest_seconds: Seconds = Field(
        default=10.0, description="seconds, feed.upstream.reconnect_seconds or above"
    )

    @field_validator("conflate")
    @classmethod
    def _conflate_is_an_interval(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                parse_conflate(text)
            except MessageError as error:
                raise ValueError(str(error)) from None
        return text

    @field_validator("reconnect_longest_seconds")
    @classmethod
    def _longest_is_no_shorter(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("reconnect_seconds", 0.0):
            raise ValueError("it is below feed.upstream.reconnect_seconds")
        return longest


class Nng(Section):
    """An event bus, of which the feed is ``nng:ADDRESS``."""

    topics: Listed = Field(
        default=(),
        description="how event types to take begin, as job. or job.*; all if none",
    )


class Feed(Section):
    """Where events come from: a feed's name, with ``:FILE`` for a replay, or an upstream's URL."""

    spec: str = Field(
        default="synthetic",
        min_length=1,
        description='"synthetic", "replay:FILE", the URL of an upstream as "ws://HOST:PORT/ws", or '
        'a bus as "nng:tcp://HOST:PORT"',
    )
    candles: Listed = Field(
        default=CHART_TIMEFRAMES,
        description="timeframes built from quotes, comma separated; 1s to 1d",
    )
    price: Literal["last", "mid"] = Field(
        default="last",
        description='"last" or "mid": the price of a quote that candles and statistics are of',
    )
    retry_seconds: float = Field(
        default=0.0, ge=0, le=60, allow_inf_nan=False,
        description="0 (a feed that fails ends the server) to 60 seconds before it is opened "
        "again, twice as long each time it fails anew, 60 at most",
    )  # fmt: skip
    synthetic: Synthetic = Synthetic()
    replay: Replay = Replay()
    upstream: Upstream = Upstream()
    nng: Nng = Nng()

    @field_validator("candles")
    @classmethod
    def _timeframes_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            parse_timeframe(name)
        if len(set(names)) != len(names):
            raise ValueError("a timeframe is named twice")
        return names

    @property
    def name(self) -> str:
        """The feed's name without what follows it."""
        return self.spec.partition(":")[0]

    @field_validator("spec")
    @classmethod
    def _feed_is_known(cls, spec: str) -> str:
        if spec.partition(":")[0] not in FEEDS:
            raise ValueError(f"no such feed; there are {', '.join(FEEDS)}")
        return spec
