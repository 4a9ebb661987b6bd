"""One run over history, with a program that is started for it, or whoever connects.

::

    data ──▶ engine ──▶ a port ──▶ COMMAND
                desk ◀── orders ◀──┘
"""

from fastrouter.app.backtesting.asked import Asked, dataset_of, wanted_of
from fastrouter.app.backtesting.outcome import Outcome, Status
from fastrouter.app.backtesting.play import backtest
from fastrouter.app.backtesting.plot import check_plot, save_plot
from fastrouter.app.backtesting.view import View

__all__ = [
    "Asked",
    "Outcome",
    "Status",
    "View",
    "backtest",
    "check_plot",
    "dataset_of",
    "save_plot",
    "wanted_of",
]
