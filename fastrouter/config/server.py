"""Where sessions are served, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from fastrouter import dialects
from fastrouter.config.section import Section
from fastrouter.config.values import Listed, Seconds
from fastrouter.core.timeframe import parse_timeframe
from fastrouter.session import subscriptions as grammar
from fastrouter.session.admission import parse_origin, parse_proxy

__all__ = ["Server"]


class Server(Section):
    """Where sessions are served, and how."""

    host: str = Field(default="127.0.0.1", min_length=1, description="an address or name to bind")
    port: int = Field(default=8082, ge=0, le=65535, description="0 (any free port) to 65535")
    paths: Listed = Field(default=("/", "/ws"), min_length=1, description="paths that begin with /")
    dialect: str = Field(default="trading-api", description="a registered dialect")
    decimals: Literal["string", "number"] = Field(
        default="string", description='"string" or "number"'
    )
    default_timeframe: str = Field(default="1m", description="1s to 1d, as in candle@5m")
    subscriptions: str | None = Field(
        default=None,
        description="SYMBOL:EVENT_TYPE items, comma separated, as S:AAPL:quote,C:*:candle",
    )
    heartbeat_seconds: Seconds = Field(default=15.0, description="seconds above 0")
    handshake_seconds: Seconds = Field(default=10.0, description="seconds above 0")
    grace_seconds: float = Field(
        default=10.0, ge=0, allow_inf_nan=False, description="seconds from 0 to drain in at the end"
    )
    cert: Path | None = Field(
        default=None, description="a PEM file: the certificate chain that makes it wss://"
    )
    key: Path | None = Field(
        default=None, description="the certificate's PEM key; without one it is in the cert file"
    )
    stale_seconds: float = Field(
        default=60.0, ge=0, allow_inf_nan=False,
        description="seconds a quote topic is silent before it is called stale; 0 is never",
    )  # fmt: skip
    outbox_bytes: int = Field(
        default=1 << 20, ge=1 << 12, le=1 << 30, description="4096 to 1073741824 bytes a session"
    )
    max_message_bytes: int = Field(
        default=64 << 10, ge=1 << 10, le=1 << 24, description="1024 to 16777216 bytes from a client"
    )

    realtime: bool = Field(
        default=False,
        description="have CPUs before all ordinary programs (SCHED_RR), where that is permitted",
    )

    allowed_origins: Listed = Field(
        default=(), description="scheme://host[:port] items, or *; default: no origin is looked at"
    )
    trusted_proxies: Listed = Field(
        default=(), description="addresses or networks, as 10.0.0.0/8, whose X-Forwarded-For counts"
    )

    @field_validator("allowed_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(parse_origin, origins))

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(parse_proxy(proxy)) for proxy in proxies)

    @field_validator("paths")
    @classmethod
    def _paths_are_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if not path.startswith("/") or "?" in path or "#" in path:
                raise ValueError(f"{path!r} is no path")
        return tuple(dict.fromkeys(paths))

    @field_validator("dialect")
    @classmethod
    def _dialect_is_registered(cls, name: str) -> str:
        if name not in dialects.names():
            raise ValueError(f"not registered; allowed: {', '.join(dialects.names())}")
        return name

    @field_validator("default_timeframe")
    @classmethod
    def _timeframe_exists(cls, name: str) -> str:
        parse_timeframe(name)
        return name

    @field_validator("key")
    @classmethod
    def _key_has_a_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if key is not None and info.data.get("cert") is None:
            raise ValueError("a key needs server.cert")
        return key

    @field_validator("subscriptions")
    @classmethod
    def _subscriptions_parse(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            grammar.parse(text, info.data.get("default_timeframe", "1m"))
        return text
