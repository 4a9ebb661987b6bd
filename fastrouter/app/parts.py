"""What the routes of the port ``rest`` are made over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastrouter.embed import Router
from fastrouter.engine.host import Engine
from fastrouter.session.auth import Verifier

if TYPE_CHECKING:
    from fastrouter.control.datasets import Datasets
    from fastrouter.control.desk import Desk
    from fastrouter.control.jobs.api import Offer
    from fastrouter.control.jobs.jobs import Jobs
    from fastrouter.control.strategies import Registry

__all__ = ["Parts"]


@dataclass(slots=True)
class Parts:
    """The parts of one server; None where it has none."""

    router: Router
    verifier: Verifier | None = None
    live: Desk | None = None  # the account's, of orders that are not a backtest's
    engine: Engine | None = None  # of backtests
    strategies: Registry | None = None  # which may send orders
    jobs: Jobs | None = None
    datasets: Datasets | None = None  # what jobs are of
    offer: Offer | None = None  # what jobs can be asked for
