"""The composition root: builds the parts from the configuration, starts them, drains them."""

from fastrouter.app.backtesting import (
    Asked,
    Outcome,
    backtest,
    check_plot,
    dataset_of,
    save_plot,
    wanted_of,
)
from fastrouter.app.check import check
from fastrouter.app.feeds import feed_of
from fastrouter.app.server import run, serve
from fastrouter.app.serving import Serving
from fastrouter.app.store import open_store
from fastrouter.app.verifier import verifier_of

__all__ = [
    "Asked",
    "Outcome",
    "Serving",
    "backtest",
    "check",
    "check_plot",
    "dataset_of",
    "feed_of",
    "open_store",
    "run",
    "save_plot",
    "serve",
    "verifier_of",
    "wanted_of",
]
