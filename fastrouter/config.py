"""The configuration: one frozen tree, and where each of its values came from.

Sources, each wins over the ones before it::

    defaults  ◀  TOML file  ◀  SUBSCRIPTIONS  ◀  FASTROUTER_SECTION__KEY  ◀  command line

The server reads its environment here and nowhere else.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from fastrouter import dialects
from fastrouter.core.timeframe import parse_timeframe
from fastrouter.errors import ConfigError
from fastrouter.feeds import FEEDS
from fastrouter.session import subscriptions as grammar
from fastrouter.session.admission import parse_origin, parse_proxy
from fastrouter.session.auth import ALGORITHMS, MIN_SECRET_BYTES
from fastrouter.session.limits import RATE_LIMITS

__all__ = [
    "Auth",
    "Control",
    "Effective",
    "Feed",
    "Log",
    "Replay",
    "Server",
    "Settings",
    "Synthetic",
    "Upstream",
    "load",
]

PREFIX = "FASTROUTER_"
CONFIG_VARIABLE = "FASTROUTER_CONFIG"
SUBSCRIPTIONS_VARIABLE = "SUBSCRIPTIONS"
#: Settings of auth that may be shown when they cannot be used.
HARMLESS = ("algorithms", "leeway_seconds", "first_message_seconds")
#: Variables of ours that name no setting.
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "FASTROUTER_BUILD"})


def _listed(value: object) -> object:
    """``"a, b"`` -> ``["a", "b"]``, ``""`` -> ``[]``: environment variables are text."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",")] if value.strip() else []


def _counted(value: object) -> object:
    """``"20"`` -> 20, ``"S:A,S:B"`` -> a list of names."""
    if isinstance(value, str):
        return int(value) if value.strip().isdecimal() else _listed(value)
    return value


def _numbered(value: object) -> object:
    """``"100"`` -> 100, ``"trading-api=200,botcore=50"`` -> a number by name."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return {name: int(number) for name, number in _pairs(value)}
    return value


def _unbounded(value: object) -> object:
    """``"max"`` -> infinity, which TOML can say too."""
    return math.inf if value == "max" else value


def _mapped(value: object) -> object:
    """``"time=0,bid=Bid"`` -> ``{"time": 0, "bid": "Bid"}``: a column by its index or name."""
    if isinstance(value, str):
        return {name: int(to) if to.isdecimal() else to for name, to in _pairs(value)}
    return value


def _pairs(text: str) -> list[tuple[str, str]]:
    """``"a=1, b=2"`` -> ``[("a", "1"), ("b", "2")]``."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("every item needs a =")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


OrMax = Annotated[float, BeforeValidator(_unbounded), Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(Section):
    """Where sessions are served, and how."""

    host: str = Field(default="127.0.0.1", min_length=1, description="an address or name to bind")
    port: int = Field(default=8082, ge=0, le=65535, description="0 (any free port) to 65535")
    paths: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=("/", "/ws"), min_length=1, description="paths that begin with /"
    )
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


class Auth(Section):
    """Who may open a session; on when there is a secret or a public key."""

    secret: SecretStr | None = Field(
        default=None, description="the HS256 secret, 32 bytes or more; it is never shown"
    )
    secret_file: Path | None = Field(
        default=None, description="a file that holds the HS256 secret, a newline at its end aside"
    )
    public_key: Path | None = Field(
        default=None, description="a PEM file: the RSA key, 2048 bits or more, of RS256 tokens"
    )
    algorithms: Listed = Field(
        default=(), description="HS256, RS256, or both; default: those that have a key"
    )
    key_id: str | None = Field(
        default=None, description="what a token's kid must be, if it has one"
    )
    issuer: str | None = Field(default=None, description="what a token's iss must be")
    audience: str | None = Field(default=None, description="what a token's aud must hold")
    leeway_seconds: float = Field(
        default=0.0, ge=0, le=600, allow_inf_nan=False, description="0 to 600 seconds clocks differ"
    )
    first_message_seconds: Seconds = Field(default=5.0, description="seconds above 0")

    @field_validator("secret")
    @classmethod
    def _secret_is_long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"shorter than {MIN_SECRET_BYTES} bytes")
        return secret

    @field_validator("secret_file")
    @classmethod
    def _one_secret(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and info.data.get("secret") is not None:
            raise ValueError("auth.secret is set, too")
        return file

    @field_validator("algorithms")
    @classmethod
    def _algorithms_are_taken(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in ALGORITHMS:
                raise ValueError(f"{name!r} is not taken; allowed: {', '.join(ALGORITHMS)}")
        return names

    @property
    def enabled(self) -> bool:
        """Whether sessions have to say who they are."""
        keys = (self.secret, self.secret_file, self.public_key)
        return bool(self.algorithms) or any(key is not None for key in keys)


class Limits(Section):
    """How much of the server one client may have; 0 is no limit."""

    connections: int = Field(default=20_000, ge=0, description="connections in all; 0 is no limit")
    connections_per_address: int = Field(
        default=0, ge=0, description="connections from one address; 0 is no limit"
    )
    subscriptions: int = Field(
        default=1000, ge=0, description="patterns a session may hold; 0 is no limit"
    )
    messages_per_minute: Annotated[
        Annotated[int, Field(ge=0)] | dict[str, Annotated[int, Field(ge=0)]],
        NoDecode,
        BeforeValidator(_numbered),
    ] = Field(default=100, description="messages from a client, or DIALECT=N items; 0 is no limit")
    total_bytes: int = Field(
        default=256 << 20,
        ge=1 << 16,
        le=1 << 40,
        description="65536 to 1099511627776 bytes that all sessions' outboxes may hold together",
    )
    header_bytes: int = Field(
        default=16 << 10, ge=1 << 8, le=16 << 10, description="256 to 16384 bytes of a request"
    )

    @field_validator("messages_per_minute")
    @classmethod
    def _dialects_exist(cls, value: int | dict[str, int]) -> int | dict[str, int]:
        known = sorted({*RATE_LIMITS, *dialects.names()})
        for name in value if isinstance(value, dict) else ():
            if name not in known:
                raise ValueError(f"no dialect {name!r}; allowed: {', '.join(known)}")
        return value


class Synthetic(Section):
    """A made-up market."""

    symbols: Annotated[
        Annotated[int, Field(ge=1)] | tuple[str, ...], NoDecode, BeforeValidator(_counted)
    ] = Field(default=20, description="how many, from 1, or their names")
    rate: OrMax = Field(default=1000.0, description='quotes a second, above 0, or "max"')
    seed: int = Field(default=1, ge=0, description="a number from 0")


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
    columns: Annotated[dict[str, str | int], NoDecode, BeforeValidator(_mapped)] = Field(
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


class Feed(Section):
    """Where events come from: a feed's name, with ``:FILE`` for a replay, or an upstream's URL."""

    spec: str = Field(
        default="synthetic",
        min_length=1,
        description='"synthetic", "replay:FILE", or the URL of an upstream as "ws://HOST:PORT/ws"',
    )
    candles: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=("1s", "1m"), description="timeframes built from quotes, comma separated; 1s to 1d"
    )
    retry_seconds: float = Field(
        default=0.0, ge=0, le=60, allow_inf_nan=False,
        description="0 (a feed that fails ends the server) to 60 seconds before it is opened "
        "again, twice as long each time it fails anew, 60 at most",
    )  # fmt: skip
    synthetic: Synthetic = Synthetic()
    replay: Replay = Replay()
    upstream: Upstream = Upstream()

    @field_validator("candles")
    @classmethod
    def _timeframes_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            parse_timeframe(name)
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


class Journal(Section):
    """Where events that must not be lost are kept for sessions that come back."""

    path: Path | None = Field(
        default=None, description="a file, made when there is none; not given: memory only"
    )
    max_age_seconds: Seconds = Field(default=86_400.0, description="seconds above 0, of a file")
    max_bytes: int | None = Field(
        default=None,
        ge=1 << 20,
        description="1048576 bytes or more; not given: 1 GiB of a file, 16 MiB of memory",
    )


class Control(Section):
    """Where operators look: metrics and sessions by HTTP."""

    enabled: bool = Field(default=True, description="true or false")
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="an address or name to bind",
    )
    port: int = Field(default=9082, ge=0, le=65535, description="0 (any free port) to 65535")


class Log(Section):
    """What is logged, and how it looks."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    format: Literal["console", "json"] = Field(default="console", description='"console" or "json"')


class Settings(BaseSettings):
    """The whole tree."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        case_sensitive=False,
        title="fastrouter",
    )

    server: Server = Server()
    auth: Auth = Auth()
    limits: Limits = Limits()
    feed: Feed = Feed()
    journal: Journal = Journal()
    control: Control = Control()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` has merged: it remembers where each value came from."""
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings, and for each key (``server.port``) the source that set it."""

    settings: Settings
    origins: Mapping[str, str]

    def origin(self, key: str) -> str:
        """Where the value of a key came from."""
        return self.origins.get(key, "default")


def load(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Effective:
    """Read every source and return the effective configuration.

    ``overrides`` maps keys as ``server.port`` to values of the command line;
    None means not given. Raises ConfigError that lists every setting that
    cannot be used: its key and origin, what is wrong, what is allowed.
    """
    origins: dict[str, str] = {}
    tree: dict[str, Any] = {}
    for values, origin in _sources(file, overrides or {}):
        for key, value in values.items():
            _put(tree, key, value)
            origins[key] = origin(key)
    try:
        return Effective(Settings(**tree), origins)
    except ValidationError as error:
        raise ConfigError(_explain(error, origins)) from None


Source = tuple[dict[str, Any], "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Says where a key's value came from; ``{}`` stands for the key as a variable is spelt."""

    text: str

    def __call__(self, key: str) -> str:
        return self.text.format(PREFIX + key.replace(".", "__").upper())


def _sources(file: Path | None, overrides: Mapping[str, Any]) -> Iterator[Source]:
    """Keys and values of each source, weakest first."""
    file = file or _file_of_environment()
    if file is not None:
        yield _leaves(_read(file)), Origin(f"file {file}".replace("{", "{{").replace("}", "}}"))
    if text := os.environ.get(SUBSCRIPTIONS_VARIABLE):
        key = "server.subscriptions"
        yield {key: text}, Origin(f"environment {SUBSCRIPTIONS_VARIABLE}")
    yield _environment(), Origin("environment {}")
    given = {key: value for key, value in overrides.items() if value is not None}
    yield given, Origin("command line")


def _file_of_environment() -> Path | None:
    name = os.environ.get(CONFIG_VARIABLE)
    return Path(name) if name else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


def _environment() -> dict[str, Any]:
    """Settings named by the environment; raises ConfigError for a variable that names none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    strange = [
        name
        for name in os.environ
        if name.upper().startswith(PREFIX)
        and name.upper() not in OTHER_VARIABLES
        and name.upper().partition("__")[0] not in known
    ]
    if strange:
        raise ConfigError(
            f"environment {', '.join(sorted(strange))}: no such setting; "
            f"allowed: {', '.join(sorted(f'{name}__KEY' for name in known))}"
        )
    try:
        return _leaves(EnvSettingsSource(Settings)())
    except SettingsError as error:
        raise ConfigError(
            f"environment: {error}; a section takes its keys one by one, as "
            f"{PREFIX}SERVER__PORT=8082"
        ) from None


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested tree as flat keys: ``{"server": {"port": 1}}`` -> ``{"server.port": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        key = prefix + name
        if isinstance(value, Mapping) and _is_section(key):
            flat |= _leaves(value, key + ".")
        else:
            flat[key] = value
    return flat


def _is_section(key: str) -> bool:
    model: type[BaseModel] = Settings
    for name in key.split("."):
        section = _section(model, name)
        if section is None:
            return False
        model = section
    return True


def _section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The section of that name, or None when it is a value or nothing."""
    field = model.model_fields.get(name)
    annotation: Any = field.annotation if field is not None else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[name] = value


def _explain(error: ValidationError, origins: Mapping[str, str]) -> str:
    """One line per setting that cannot be used."""
    lines: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        key, allowed = _locate(problem["loc"])
        reason = str(problem.get("ctx", {}).get("error") or problem["msg"])
        if problem["type"] == "extra_forbidden":
            reason = "no such setting"
        given = "***" if _is_secret(problem["loc"]) else _shown(key, problem["input"])
        text = f"{key} = {given} ({origins.get(key, 'default')}): {reason}"
        told = "allowed:" in reason or not allowed
        lines.setdefault(key, text if told else f"{text}; allowed: {allowed}")
    return "\n".join(lines.values())


def _shown(key: str, value: object) -> str:
    """A value in an error, unless it may be a secret, or a secret that was misplaced."""
    section, _, name = key.partition(".")
    hidden = section == "auth" and name not in HARMLESS
    if hidden or "secret" in key.lower() or "secret" in repr(value).lower():
        return "***"
    return repr(value)


def _is_secret(location: tuple[int | str, ...]) -> bool:
    """Whether an error is about a value that must not be shown."""
    model: type[BaseModel] = Settings
    for part in map(str, location):
        section = _section(model, part)
        if section is None:
            field = model.model_fields.get(part)
            return field is not None and SecretStr in (
                field.annotation,
                *get_args(field.annotation),
            )
        model = section
    return False


def _locate(location: tuple[int | str, ...]) -> tuple[str, str]:
    """The key an error is about, without what pydantic adds for unions, and what is allowed."""
    model: type[BaseModel] = Settings
    key: list[str] = []
    for part in map(str, location):
        key.append(part)
        section = _section(model, part)
        if section is None:
            field = model.model_fields.get(part)
            allowed = ", ".join(model.model_fields) if field is None else field.description
            return ".".join(key), allowed or ""
        model = section
    return ".".join(key), "a table"
