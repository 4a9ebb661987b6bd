"""The composition root: builds the parts from the configuration, starts them, drains them."""

from fastrouter.app.backtesting import Asked, backtest, dataset_of, wanted_of
from fastrouter.app.check import check
from fastrouter.app.feeds import feed_of
from fastrouter.app.server import run, serve
from fastrouter.app.serving import Serving
from fastrouter.app.store import open_store
from fastrouter.app.verifier import verifier_of

__all__ = [
    "Asked",
    "Serving",
    "backtest",
    "check",
    "dataset_of",
    "feed_of",
    "open_store",
    "run",
    "serve",
    "verifier_of",
    "wanted_of",
]
