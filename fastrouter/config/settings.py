"""The whole tree."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fastrouter.config.auth import Auth
from fastrouter.config.backtest import Backtest
from fastrouter.config.broker import Broker
from fastrouter.config.bus import Bus
from fastrouter.config.control import Control
from fastrouter.config.feed import Feed
from fastrouter.config.jobs import Jobs
from fastrouter.config.journal import Journal
from fastrouter.config.limits import Limits
from fastrouter.config.log import Log
from fastrouter.config.ports import Ports
from fastrouter.config.server import Server
from fastrouter.config.store import Store
from fastrouter.config.strategies import Strategies

__all__ = ["PREFIX", "Settings"]

PREFIX = "FASTROUTER_"


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
    ports: Ports = Ports()
    auth: Auth = Auth()
    limits: Limits = Limits()
    feed: Feed = Feed()
    bus: Bus = Bus()
    journal: Journal = Journal()
    store: Store = Field(default_factory=Store)
    broker: Broker = Broker()
    backtest: Backtest = Backtest()
    jobs: Jobs = Jobs()
    control: Control = Control()
    strategies: Strategies = Field(default_factory=dict, validate_default=True)
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
