"""The configuration: one frozen tree, read from a file, the environment and the command line."""

from fastrouter.config.auth import Auth
from fastrouter.config.backtest import Backtest
from fastrouter.config.broker import Broker
from fastrouter.config.bus import Bus
from fastrouter.config.control import Control
from fastrouter.config.feed import Feed, Nng, Replay, Synthetic, Upstream
from fastrouter.config.jobs import Jobs
from fastrouter.config.journal import Journal
from fastrouter.config.limits import Limits
from fastrouter.config.loader import Effective, load
from fastrouter.config.log import Log
from fastrouter.config.ports import Ports
from fastrouter.config.server import Server
from fastrouter.config.settings import Settings
from fastrouter.config.store import Store
from fastrouter.config.strategies import Strategy

__all__ = [
    "Auth",
    "Backtest",
    "Broker",
    "Bus",
    "Control",
    "Effective",
    "Feed",
    "Jobs",
    "Journal",
    "Limits",
    "Log",
    "Nng",
    "Ports",
    "Replay",
    "Server",
    "Settings",
    "Store",
    "Strategy",
    "Synthetic",
    "Upstream",
    "load",
]
